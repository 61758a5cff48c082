// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "evaluate/story.hpp"
#include "oom_scope.hpp"
#include "oom_victims.hpp"

// How the cgroup and the node were at the kill, beyond what the kernel says of the kill itself.
namespace tapio::oom {

// What was foretold, and what /proc said of the largest, of late.
class Foreseen {
 public:
  static constexpr std::size_t kMaxPredictions = 64;  // beyond: the oldest goes
  static constexpr std::size_t kMaxLooks = 64;        // at consumers; beyond: the oldest goes
  // An older one was of another incident, or came true much later than it said.
  static constexpr std::chrono::nanoseconds kPredicted = std::chrono::minutes(2);
  static constexpr std::chrono::nanoseconds kLooked = std::chrono::seconds(30);

  struct Prediction {
    MonotonicTime time{};
    RecordId evidence{};
    std::uint64_t cgroup_id = 0;
    std::string detail;
    MonotonicTime kill{};  // that it foretold; 0: none yet
  };
  struct Largest {
    MonotonicTime time{};
    std::uint64_t cgroup_id = 0;
    std::vector<Consumer> consumers;
    std::uint64_t seen = 0;
  };

  void note(const Detected& fact);
  void note(const CgroupConsumers& fact);
  // Of the kill at `time`, and then of no later one. nullptr: none.
  [[nodiscard]] const Prediction* prediction(std::uint64_t cgroup_id, MonotonicTime time);
  [[nodiscard]] const Largest* largest(std::uint64_t cgroup_id, MonotonicTime time) const;

 private:
  std::deque<Prediction> predictions_;
  std::deque<Largest> largest_;
};

// The kernel's badness (mm/oom_kill.c, oom_badness()), which it does not tell: resident memory,
// page tables and swap, and so many thousandths of all memory as oom_score_adj says. In bytes,
// where the kernel counts pages.
struct Badness {
  std::int64_t bytes = 0;
  bool with_page_tables = false;
  std::uint64_t total = 0;  // what the thousandths are of; 0: it did not matter
};
// Nothing: it is not known what the thousandths are of, or the kernel would not have chosen it.
[[nodiscard]] std::optional<Badness> badness_of(const Victim& victim, const Scope& scope,
                                                const World& world);

// Steps about pressure and counters before and after; and what is missing.
void add_state(Story& story, const Victim& victim, const Scope& scope, const World& world);
void add_badness(Story& story, const Victim& victim, const Scope& scope, const World& world);
// Whether it was predicted; else why not, as far as that can be said.
void add_prediction(Story& story, const Victim& victim, const Scope& scope, Foreseen& foreseen,
                    const World& world);

}  // namespace tapio::oom
