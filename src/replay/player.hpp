// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/outside.hpp"
#include "replay/frames.hpp"
#include "replay/header.hpp"
#include "replay/message.hpp"

namespace tapio::replay {

// Reads a recording, and answers from it. What is in it may be anything: numbers that code behind
// this takes for granted are checked here, as the drain thread checks them live.
class Player final : public Outside {
 public:
  static Result<std::unique_ptr<Player>> open(const std::string& path);
  static Result<std::unique_ptr<Player>> open(FrameReader frames);

  [[nodiscard]] const Header& header() const { return header_; }
  // Nothing behind the end of the recording. The input lives until the next call. Faults:
  // `unavailable`: the file ends before the recording does; `broken`: it is damaged, or whoever
  // takes the inputs did not ask as it was asked then.
  Result<std::optional<Input>> next();
  // After a fault, or when there is none, anything is the answer: next() tells.
  std::string ask(std::string_view question, const Look& look) override;
  // A fault: the input at hand was taken without all of its answers, and what came of it is not to
  // be used.
  [[nodiscard]] const Status& state() const { return state_; }

  [[nodiscard]] std::optional<End> end() const { return end_; }
  [[nodiscard]] std::uint64_t inputs() const { return inputs_; }

 private:
  explicit Player(FrameReader frames) : frames_(std::move(frames)) {}
  Result<Message> message();
  Status check_end();

  FrameReader frames_;
  Header header_;
  std::string_view rest_;  // of the frame at hand
  std::string body_;       // of the input at hand: frames go while it asks
  std::vector<std::string_view> list_;
  Status state_;
  std::optional<End> end_;
  std::uint64_t inputs_ = 0;
};

}  // namespace tapio::replay
