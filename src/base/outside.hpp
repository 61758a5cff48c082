// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace tapio {

// The way by which what has to be repeatable asks the world: files, clocks, the kernel. Samples and
// ticks come by themselves; all else that an observer wants to know, it asks here. Live, the
// question is a look at the world. A recording keeps the answers in their order, and a replay gives
// them back without a look: so whoever asks may not ask elsewhere, nor ask by chance.
class Outside {
 public:
  virtual ~Outside() = default;
  using Look = std::function<std::string()>;

  // `question` is a short name in static storage. An answer may be any bytes: in a replay they come
  // from a file. It must not hold a secret.
  [[nodiscard]] virtual std::string ask(std::string_view question, const Look& look) = 0;

  [[nodiscard]] MonotonicTime now();
  [[nodiscard]] std::uint64_t page_bytes();
  // Of something that succeeds or fails: what it did outside has then not been done in a replay.
  Status attempt(std::string_view question, const std::function<Status()>& act);
};

// Looks, and nothing else.
[[nodiscard]] Outside& live_outside();

}  // namespace tapio
