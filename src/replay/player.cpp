// SPDX-License-Identifier: Apache-2.0
#include "replay/player.hpp"

#include <fmt/format.h>

#include "base/config.hpp"
#include "decode/wire.hpp"

namespace tapio::replay {

namespace {

// What Intake lets through.
Status check_samples(Bytes block) {
  while (!block.empty()) {
    const auto sample = TRY(wire::open_sample(block));
    const auto& header = sample.header;
    if (header.hook >= TAPIO_MAX_HOOKS || header.event_class >= TAPIO_CLASSES ||
        header.time_ns > static_cast<std::uint64_t>(kLatest.count()))
      return invalid("a sample without a header that could be");
    block = block.subspan(sample.bytes.size());
  }
  return {};
}

std::unexpected<Error> damaged(const Error& error) {
  return fail(Fault::broken, "it is damaged: " + error.what);
}

}  // namespace

Result<std::unique_ptr<Player>> Player::open(const std::string& path) {
  return open(TRY(FrameReader::open(path)));
}

Result<std::unique_ptr<Player>> Player::open(FrameReader frames) {
  std::unique_ptr<Player> player(new Player(std::move(frames)));
  const auto first = TRY(player->frames_.next());
  if (!first) return fail(Fault::unavailable, "it ends behind its head");
  player->header_ = TRY(header_of(*first));
  return player;
}

Result<Message> Player::message() {
  while (rest_.empty()) {
    const auto frame = TRY(frames_.next());
    if (!frame)
      return fail(Fault::unavailable, fmt::format("it ends behind byte {} without a last word: the "
                                                  "recorder was killed, or the file was cut",
                                                  frames_.position()));
    rest_ = *frame;
  }
  const auto message = take(rest_);
  if (!message) return fail(Fault::broken, "it is damaged: a message that is not whole");
  return *message;
}

Result<std::optional<Input>> Player::next() {
  if (end_) return std::nullopt;
  if (!state_) return std::unexpected(state_.error());
  const auto message = TRY(this->message());
  if (message.number == kAnswer) {
    const auto answer = answer_of(message);
    return fail(Fault::broken,
                fmt::format("an answer to {} that nobody asks for: this tapio works differently "
                            "from the one that recorded",
                            config::shown(answer ? answer->question : "?")));
  }
  body_.assign(message.body);
  auto input = input_of({message.number, body_}, list_);
  if (!input) return damaged(input.error());
  if (const auto* samples = std::get_if<Samples>(&*input))
    if (const auto sound = check_samples(samples->block); !sound) return damaged(sound.error());
  inputs_++;
  if (const auto* ended = std::get_if<Ended>(&*input)) {
    TRY(check_end());
    end_ = ended->why;
    return std::nullopt;
  }
  return *input;
}

Status Player::check_end() {
  if (!rest_.empty() || TRY(frames_.next()))
    return fail(Fault::broken, "it is damaged: something follows its end");
  return {};
}

std::string Player::ask(std::string_view question, const Look&) {
  if (!state_) return {};
  const auto message = this->message();
  if (!message) {
    state_ = std::unexpected(message.error());
    return {};
  }
  if (const auto answer = answer_of(*message); answer && answer->question == question)
    return std::string(answer->text);
  if (const auto ended = input_of(*message, list_); ended && std::get_if<Ended>(&*ended))
    state_ = fail(Fault::unavailable, "it was full in the middle of a second");
  else
    state_ = fail(Fault::broken, fmt::format("it has no answer to '{}' here: this tapio works "
                                             "differently from the one that recorded",
                                             question));
  return {};
}

}  // namespace tapio::replay
