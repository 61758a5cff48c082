// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/lru.hpp"
#include "process_report.hpp"

namespace tapio::process {

// A process in a container signals one outside of it: another container, or the host. The other way
// round is what container runtimes do.
class SignalAcrossBorder {
 public:
  static constexpr std::size_t kMaxPairs = 512;  // held back from repetition; the oldest goes

  void on(const SignalSent& fact, Output& out);

 private:
  struct Pair {
    ProcessId sender, target;
    bool operator==(const Pair&) const = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& pair) const {
      return ProcessIdHash{}(pair.sender) * 31 + ProcessIdHash{}(pair.target);
    }
  };
  struct Crossing {
    MonotonicTime first{};
    std::uint64_t count = 0;
    Because because;
    Incident incident;
  };

  Lru<Pair, Crossing, PairHash> pairs_{kMaxPairs};
};

}  // namespace tapio::process
