// SPDX-License-Identifier: Apache-2.0
#include "agent/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "agent/inlet.hpp"

namespace tapio::agent {

Replay::Replay(std::unique_ptr<replay::Player> player, config::Tree configuration,
               Pipeline::Deliver deliver)
    : player_(std::move(player)),
      configuration_(std::move(configuration)),
      pipeline_({.run = player_->header().run,
                 .redact = configuration_.at("redact").as<RedactConfig>(),
                 .rules = stories()},
                std::move(deliver)) {}

Result<std::unique_ptr<Replay>> Replay::open(std::unique_ptr<replay::Player> player,
                                             config::Tree configuration,
                                             Pipeline::Deliver deliver) {
  const auto& header = player->header();
  const auto no_environment = [](const char*) -> const char* { return nullptr; };
  const auto wrong =
      config::load(configuration, header.configuration, "its configuration", no_environment);
  if (!wrong.empty())
    return fail(Fault::broken,
                fmt::format("{} (recorded by tapio {})", to_string(wrong.front()), header.version));
  if (!header.boot.empty()) set_boot_id(header.boot);
  return std::unique_ptr<Replay>(
      new Replay(std::move(player), std::move(configuration), std::move(deliver)));
}

Status Replay::run(const std::function<bool()>& enough) {
  while (!enough()) {
    const auto input = player_->next();
    if (!input) {
      pipeline_.finish();
      return std::unexpected(input.error());
    }
    if (!*input) break;
    TRY(take(**input));
  }
  pipeline_.finish();
  return {};
}

Status Replay::take(const replay::Input& input) {
  if (const auto* starting = std::get_if<replay::Starting>(&input)) return start(*starting);
  apply(input, pipeline_);
  // Without all of its answers, what came of it is not what came of it then.
  return player_->state();
}

Status Replay::start(const replay::Starting& starting) {
  const auto& all = observers();
  const auto found = std::ranges::find(all, starting.observer, &Descriptor::name);
  if (found == all.end())
    return fail(Fault::broken, fmt::format("it was recorded with the observer {}, which this tapio "
                                           "does not have",
                                           config::shown(starting.observer)));
  const Descriptor& descriptor = **found;
  if (!started_.insert(std::string(descriptor.name)).second)
    return fail(Fault::broken, fmt::format("it starts {} twice", descriptor.name));
  capture::Programs programs({.outside = player_.get()}, [](Bytes) {});  // nothing is loaded
  const auto& settings = configuration_.at(fmt::format("observers.{}", descriptor.name));
  auto observer = descriptor.start({settings, programs, *player_});
  TRY(player_->state());
  if (observer)  // else it did not start then either
    pipeline_.admit(descriptor, std::move(*observer),
                    starting.provider ? Role::provider : Role::full);
  return {};
}

std::uint64_t Replay::samples() const {
  std::uint64_t sum = 0;
  for (const auto& [id, counts] : pipeline_.counts()) sum += counts.handled;
  return sum;
}

std::uint64_t Replay::malformed() const {
  std::uint64_t sum = 0;
  for (const auto& [id, counts] : pipeline_.counts()) sum += counts.malformed;
  return sum;
}

}  // namespace tapio::agent
