// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "capture/run_time.hpp"

namespace tapio::agent {

// What programs and observers cost. To count every run would cost some programs a tenth more, so it
// is counted for a window every now and then; what lies between is told by the events of a program,
// which its ledger counts always, and by the CPU time of the pipeline's thread. Reads nothing by
// itself.
class Costs {
 public:
  static constexpr std::chrono::seconds kWindow{1};   // of counting, in each
  static constexpr std::chrono::seconds kEvery{10};   // of these
  static constexpr std::chrono::seconds kLongest{8};  // where little happens, it is counted longer
  static constexpr std::uint64_t kEnough = 100;       // runs, for a window to end
  static constexpr std::uint64_t kPooled = 10'000;    // events that tell what one costs

  struct ProgramReading {  // since it was loaded
    std::string_view observer, program;
    std::uint64_t events = 0;  // that it entered in the ledger
    capture::RunTime ran;
  };
  struct Readings {
    MonotonicTime time{};
    std::vector<ProgramReading> programs;
    std::map<std::string_view, std::chrono::nanoseconds> observers;  // in windows, on the pipeline
    std::chrono::nanoseconds pipeline{};                             // CPU time of its thread
  };

  struct Cost {
    std::chrono::nanoseconds spent{};  // since the start
    double share = 0;                  // of one CPU, from the window before to the latest
  };
  struct Program {
    Cost cost;
    double ns_per_run = 0;  // in the latest window with a run; 0: none was counted
    double runs_per_second = 0;
  };
  using Key = std::pair<std::string_view, std::string_view>;  // observer, program

  explicit Costs(MonotonicTime began) : settled_{.time = began} {}

  [[nodiscard]] bool is_counting() const { return counting_; }
  [[nodiscard]] bool is_due(MonotonicTime now) const;  // to begin, or to end what has begun
  void begin(Readings now);
  // Whether enough was counted, or for long enough.
  [[nodiscard]] bool may_end(const Readings& now) const;
  void end(Readings now);

  [[nodiscard]] const std::map<Key, Program>& programs() const { return programs_; }
  [[nodiscard]] Cost kernel_side(std::string_view observer) const;
  [[nodiscard]] Cost user_side(std::string_view observer) const;
  // What programs took between two readings, by what windows have told of their events.
  [[nodiscard]] std::chrono::nanoseconds kernel_side(const Readings& from,
                                                     const Readings& to) const;
  [[nodiscard]] bool is_known() const { return known_; }  // a window has ended
  // Programs had events, and no run was counted: the kernel does not count for us.
  [[nodiscard]] bool is_blind() const { return blind_; }

 private:
  // Events of all windows, the last kPooled of them. One window alone would take events of a burst
  // for those of the quiet around it, whose caches are cold.
  struct Pool {
    std::chrono::nanoseconds time{};
    std::uint64_t events = 0;

    void add(std::chrono::nanoseconds counted, std::uint64_t of);
    [[nodiscard]] std::chrono::nanoseconds of(std::uint64_t others) const;
  };
  void settle(Program& program, Pool& pool, const ProgramReading& from, const ProgramReading& to);
  void settle_observers(const Readings& now);
  [[nodiscard]] static const ProgramReading& before(const Readings& readings,
                                                    const ProgramReading& now);

  bool counting_ = false, known_ = false, blind_ = false;
  MonotonicTime next_{};
  Readings begun_;                                    // where the window began
  Readings settled_;                                  // where the one before ended
  std::chrono::duration<double> window_{}, since_{};  // of what is being settled
  std::map<Key, Program> programs_;
  std::map<Key, Pool> pools_;
  std::map<std::string_view, Cost> observers_;
};

}  // namespace tapio::agent
