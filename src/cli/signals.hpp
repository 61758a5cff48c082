// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <initializer_list>
#include <memory>
#include <optional>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio::cli {

// Signals as something to poll for, for as long as it lives. One at a time.
class Signals {
 public:
  static Result<std::unique_ptr<Signals>> take(std::initializer_list<int> wanted);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int fd() const { return signals_.get(); }
  [[nodiscard]] std::optional<int> next();  // one that came; without waiting

 private:
  Signals(std::initializer_list<int> wanted);

  sigset_t before_{};
  Fd signals_;
};

}  // namespace tapio::cli
