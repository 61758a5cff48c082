// SPDX-License-Identifier: Apache-2.0
#include "replay/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "decode/wire.hpp"
#include "replay/message.hpp"

namespace tapio::replay {

namespace {

// As many whole samples as one message may hold; at least one.
Bytes first_samples(Bytes block) {
  std::size_t size = 0;
  while (size < block.size()) {
    const auto sample = wire::open_sample(block.subspan(size));
    if (!sample) return block;  // cannot be: only whole samples are queued
    if (size > 0 && size + sample->bytes.size() > kMaxSamples) break;
    size += sample->bytes.size();
  }
  return block.first(size);
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::create(const std::string& path, Existing existing,
                                                   std::uint64_t max_bytes) {
  if (max_bytes < kLeastBytes)
    return invalid(fmt::format("a recording needs at least {} bytes", kLeastBytes));
  auto frames = TRY(FrameWriter::create(path, existing));
  return std::unique_ptr<Recorder>(new Recorder(std::move(frames), max_bytes));
}

void Recorder::begin(const Header& header) {
  waiting_ = packed(header);
  write_frame();
}

void Recorder::write(const Input& input) {
  const auto* samples = std::get_if<Samples>(&input);
  if (!samples) return append(input);
  for (Bytes rest = samples->block; !rest.empty();) {
    const Bytes part = first_samples(rest);
    append(Samples{part});
    rest = rest.subspan(part.size());
  }
}

std::string Recorder::ask(std::string_view question, const Look& look) {
  auto answer = look();
  if (state_ && !cut_) replay::append(waiting_, message_of(Answer{question, answer}, body_));
  return answer;
}

void Recorder::append(const Input& input) {
  if (!state_ || cut_) return;
  replay::append(waiting_, message_of(input, body_));
  // A tick ends a frame, so that a kill takes no more than a second.
  if (waiting_.size() >= kFrameBytes || std::holds_alternative<Ticked>(input)) write_frame();
}

void Recorder::write_frame() {
  // Room for the last frame, which says that the recording is full.
  constexpr std::uint64_t kLastFrame = 256;
  if (frames_.bytes() + ::ZSTD_compressBound(waiting_.size()) + kLastFrame > max_bytes_ ||
      frames_.content() + waiting_.size() > kMaxContent - kMaxFrame) {
    cut_ = true;
    waiting_.clear();
    replay::append(waiting_, message_of(Ended{End::full}, body_));
  }
  state_ = frames_.write(waiting_);
  waiting_.clear();
}

bool Recorder::full() const {
  constexpr std::uint64_t kWayOut = 4 << 20;
  return cut_ || frames_.bytes() + std::min(kWayOut, max_bytes_ / 4) > max_bytes_;
}

Status Recorder::finish() {
  if (state_ && !cut_) {
    append(Ended{full() ? End::full : End::stopped});
    if (state_ && !waiting_.empty()) write_frame();
  }
  return state_;
}

}  // namespace tapio::replay
