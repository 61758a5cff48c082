// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace tapio::cli {

// Where output goes: a file descriptor that somebody else owns.
class Out {
 public:
  explicit Out(int fd) : fd_(fd) {}

  void add(std::string_view text) { waiting_ += text; }
  [[nodiscard]] std::string& waiting() { return waiting_; }
  // Everything that waits. SIGPIPE must be ignored.
  Status write();
  // The reader has gone: nobody wants more.
  [[nodiscard]] bool gone() const { return gone_; }
  // Columns of the terminal; 0: it is none.
  [[nodiscard]] std::size_t terminal_columns() const;

 private:
  int fd_;
  std::string waiting_;
  bool gone_ = false;
};

// "tapio: " and the text, printable, to standard error.
void note(std::string_view text);

}  // namespace tapio::cli
