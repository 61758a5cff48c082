// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/outside.hpp"
#include "replay/frames.hpp"
#include "replay/header.hpp"
#include "replay/input.hpp"

namespace tapio::replay {

// Writes what enters the repeatable part, as it enters: inputs by write(), answers as they are
// given. One thread uses it. What goes wrong with the file ends the recording, not the agent.
class Recorder final : public Outside {
 public:
  static constexpr std::uint64_t kLeastBytes = 256 << 10;  // of `max_bytes`

  // Beyond `max_bytes` nothing is written any more; see full().
  static Result<std::unique_ptr<Recorder>> create(const std::string& path, Existing existing,
                                                  std::uint64_t max_bytes);

  void begin(const Header& header);
  void write(const Input& input);
  std::string ask(std::string_view question, const Look& look) override;
  // Once, after the last input. The fault is the first there was.
  Status finish();

  // It is time to stop: what is left of `max_bytes` is for what still comes on the way out.
  [[nodiscard]] bool full() const;
  [[nodiscard]] const Status& state() const { return state_; }
  [[nodiscard]] std::uint64_t bytes() const { return frames_.bytes(); }

 private:
  static constexpr std::size_t kFrameBytes = 256 << 10;  // then a frame is written
  Recorder(FrameWriter frames, std::uint64_t max_bytes)
      : frames_(std::move(frames)), max_bytes_(max_bytes) {}
  void append(const Input& input);
  void write_frame();

  FrameWriter frames_;
  std::uint64_t max_bytes_;
  std::string waiting_, body_;
  Status state_;
  bool cut_ = false;  // the file has an end, and something came after it
};

}  // namespace tapio::replay
