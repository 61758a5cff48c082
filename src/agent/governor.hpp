// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "record/record.hpp"

namespace tapio::agent {

struct BudgetConfig {
  ByteSize memory{0};
  std::uint32_t cpu = 0;

  static constexpr auto settings() {
    return std::tuple{
        Setting{"memory", &BudgetConfig::memory,
                "Resident memory, rings and maps together; 0: no budget. Beyond it events are "
                "sampled, then counted alone, then their hooks are switched off: bulk before "
                "normal, critical and state never.",
                ByteSize{0}, ByteSize{1ull << 40}}
            .on_reload(),
        Setting{"cpu", &BudgetConfig::cpu,
                "Percent of one CPU, for the agent and its programs in the kernel; 0: no budget. "
                "Beyond it as with memory.",
                0u, 100'000u}
            .on_reload(),
    };
  }
};

// Dearest last. What a step asks for is asked for by all that follow.
enum class Step : std::uint8_t {
  full,
  bulk_sampled,
  bulk_counted,  // by the ledger: no event comes out
  bulk_off,      // hooks that have nothing else
  normal_sampled,
  normal_counted,
  normal_off,
};
[[nodiscard]] std::string_view step_name(Step step);  // "bulk_sampled"
[[nodiscard]] std::string_view spared_by(Step step);  // what is not seen then; "" of full

// In the stream of every consumer, so that what is missing from then on is not taken for quiet.
inline constexpr SchemaOf kBudgetStep{
    "tapio.budget.step",
    Kind::event,
    "The agent spares more events than before to hold its budget, or fewer again.",
    Field{"tapio.budget.before", Type::text, "The step before.", "BEFORE"},
    Field{"tapio.budget.step", Type::text, "The step from now on; full: nothing is spared.",
          "STEP"},
    Field{"tapio.budget.reason", Type::text, "cpu or memory, which is beyond it; or recovered.",
          "REASON"},
    Field{"tapio.cpu.utilization", Type::f64,
          "Of one CPU in the last second, by the agent and its programs.", "CPU", "1"},
    Field{"tapio.budget.cpu", Type::f64, "The budget of that; 0: none.", "", "1"},
    Field{"tapio.memory.usage", Type::u64, "Resident memory, rings and maps.", "MEMORY", "By"},
    Field{"tapio.budget.memory", Type::u64, "The budget of that; 0: none.", "", "By"}};

// Which step holds the agent within its budget. Steps that would spare nothing are passed over. It
// goes on when the budget was exceeded for a while, and back when much less was used for longer;
// each time that turns out to be too early, it waits twice as long. Reads nothing by itself.
class Governor {
 public:
  struct Pace {
    unsigned over = 3;                       // seconds beyond the budget before a step
    std::chrono::seconds calm{30};           // well within it before a step back
    std::chrono::seconds longest_calm{600};  // to which that grows
  };
  static constexpr double kWell = 0.7;  // of the budget

  struct Usage {  // once a second
    MonotonicTime time{};
    std::uint64_t memory = 0;           // bytes
    double cpu = 0;                     // of one, in the last second
    bool bulk = false, normal = false;  // such events came in it
  };
  struct Change {
    Step before, after;
    std::string_view why;  // "memory", "cpu": beyond it; "recovered"
  };

  explicit Governor(const BudgetConfig& budget) : Governor(budget, Pace{}) {}
  Governor(const BudgetConfig& budget, Pace pace)
      : budget_(budget), pace_(pace), calm_(pace.calm) {}
  void configure(const BudgetConfig& budget) { budget_ = budget; }

  [[nodiscard]] std::optional<Change> on_second(const Usage& usage);
  [[nodiscard]] Step step() const { return step_; }
  [[nodiscard]] const BudgetConfig& budget() const { return budget_; }
  [[nodiscard]] bool has_budget() const { return budget_.memory.bytes != 0 || budget_.cpu != 0; }

 private:
  [[nodiscard]] Step next(const Usage& usage) const;
  Change take(Step step, std::string_view why, MonotonicTime now);

  BudgetConfig budget_;
  Pace pace_;
  Step step_ = Step::full;
  unsigned over_ = 0;
  std::chrono::seconds calm_;
  MonotonicTime calm_since_{};
  std::optional<MonotonicTime> went_back_;
};

}  // namespace tapio::agent
