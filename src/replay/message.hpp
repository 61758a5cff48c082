// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/pack.hpp"
#include "replay/input.hpp"

// Inputs and answers as bytes. Each message is its number, its size and its body.
namespace tapio::replay {

inline constexpr std::uint8_t kAnswer = 0xff;  // the number of an answer; any other is an input's
inline constexpr std::size_t kMaxMessage = 1 << 20;  // bytes of a body
// Bytes of samples in one message. More are several messages.
inline constexpr std::size_t kMaxSamples = 256 << 10;
inline constexpr std::size_t kMaxListed = 4096;  // arguments, blind spots
// Times and clock offsets are not further from 0 than 73 years.
inline constexpr std::chrono::nanoseconds kLatest{std::int64_t{1} << 61};

struct Message {
  std::uint8_t number = 0;
  std::string_view body;
};

void append(std::string& out, const Message& message);
// Takes the first one off. Nothing: there is no whole one, or it is larger than one may be.
[[nodiscard]] std::optional<Message> take(std::string_view& bytes);

// In its shortest form; `body` is overwritten.
[[nodiscard]] Message message_of(const Input& input, std::string& body);

// Lists lie in `list`, text in the message.
[[nodiscard]] Result<Input> input_of(const Message& message, std::vector<std::string_view>& list);

struct Answer {
  std::string_view question, text;
};
[[nodiscard]] Message message_of(const Answer& answer, std::string& body);
[[nodiscard]] Result<Answer> answer_of(const Message& message);

}  // namespace tapio::replay
