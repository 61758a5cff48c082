// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/plan.hpp"

namespace tapio::matrix {

enum class State : std::uint8_t {
  untried,
  unsupported,  // the kernel lacks a feature that it needs
  refused,      // the kernel has all of it, and would not load or attach it
  attached,     // and did not run
  ran,          // by its ledger; no record of it came out
  fired,        // a record came out
};
std::string_view name(State state);

// One program of one hook on one kernel: what became of it.
struct Cell {
  const capture::Hook* hook;
  const capture::Candidate* candidate;
  State state = State::untried;
  std::string reason = {};                     // why it did not come further
  bool triggered = false;                      // something was done that must make it fire
  std::optional<std::uint64_t> verified = {};  // instructions that the verifier walked through
  std::uint64_t runs = 0, run_ns = 0;

  // "attach x: ...": the verifier took it.
  [[nodiscard]] bool loaded() const {
    return state >= State::attached || (state == State::refused && reason.starts_with("attach "));
  }
};

// Of a refusal: what the verifier said last, without its statistics, and the kernel's error.
std::string last_words(std::string_view reason);

// One JSON object, without a line feed.
struct Place {
  std::string_view release, machine, observer, channel;
  bool emulated;
};
std::string to_json(const Place& place, const Cell& cell);

// What the hooks have to take in one attempt, so that all programs are tried in as few loads as
// there are candidates of one hook. A required hook whose forced program does not work takes what
// it likes instead: or the others could not be tried.
class Plan {
 public:
  // The candidate of rank `rank` of each hook; of hooks that have fewer, the last.
  Plan(std::span<const capture::Hook> hooks, std::size_t rank, const capture::Kernel& kernel);

  [[nodiscard]] const capture::Candidate* forced(std::size_t hook) const { return forced_[hook]; }
  // The kernel, with everything refused that is not to be taken.
  [[nodiscard]] capture::Kernel kernel() const;
  // After an attempt that failed: frees hooks whose program was refused. False: there is none.
  bool free_refused(const capture::Kernel& after);

 private:
  std::span<const capture::Hook> hooks_;
  capture::Kernel kernel_;
  std::vector<const capture::Candidate*> forced_;  // nullptr: free
};

[[nodiscard]] std::size_t most_candidates(std::span<const capture::Hook> hooks);

// Why `candidate` is not loaded: unsupported or refused, in the words of a kernel after an attempt.
// Nothing when neither is the case.
struct Verdict {
  State state;
  std::string reason;
};
std::optional<Verdict> why_not(const capture::Candidate& candidate, const capture::Kernel& after);

}  // namespace tapio::matrix
