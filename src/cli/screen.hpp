// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <termios.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cli/frame.hpp"

namespace tapio::cli {

enum class Key : std::uint8_t {
  up,
  down,
  left,
  right,
  page_up,
  page_down,
  back,  // Shift-Tab
  escape,
};

// What was typed: a letter, or one of those that are none.
struct Pressed {
  char letter = 0;
  std::optional<Key> key{};
  bool operator==(const Pressed&) const = default;
};

// Keys in what a terminal sends. A sequence that has not come to its end waits for the rest.
class Keys {
 public:
  static constexpr std::size_t kMaxBytes = 16;  // of a sequence; a longer one is none

  void add(std::string_view bytes) { waiting_ += bytes; }
  [[nodiscard]] std::optional<Pressed> next();

 private:
  std::optional<Pressed> take_sequence();

  std::string waiting_;
};

// The terminal that standard output is, taken over for as long as it lives: another page, no
// cursor, keys as they are pressed. What was there before comes back. Nothing blocks: a picture
// that a slow terminal has not taken is finished before there is another one.
class Screen {
 public:
  static Result<std::unique_ptr<Screen>> open();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] int fd() const { return terminal_.get(); }
  [[nodiscard]] bool is_writing() const { return written_ < out_.size(); }
  [[nodiscard]] bool gone() const { return gone_; }  // nobody looks any more
  [[nodiscard]] Size size() const;

  // Nothing happens while it is still writing.
  void show(const Frame& frame);
  void write();
  [[nodiscard]] std::optional<Pressed> next_key();

  // For a while: the terminal as it was, and back.
  void leave();
  void enter();

 private:
  explicit Screen(Fd terminal) : terminal_(std::move(terminal)) {}
  void write_all(std::string_view text);

  Fd terminal_;
  termios before_{};
  Keys keys_;
  Frame shown_;  // lines that are there need not be written again
  Size size_{};
  std::string out_;
  std::size_t written_ = 0;
  bool gone_ = false;
};

}  // namespace tapio::cli
