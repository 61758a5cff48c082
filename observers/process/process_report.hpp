// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "observer.hpp"

// What all detectors do alike: keep evidence, hold back repetitions, report.
namespace tapio::process {

// Records that say so: the first ones, which show how it began, and the latest.
class Because {
 public:
  static constexpr std::size_t kFirst = 4, kLatest = 12;

  void add(RecordId id);
  [[nodiscard]] std::vector<RecordId> ids() const;  // oldest first

 private:
  std::array<RecordId, kFirst> first_{};
  std::array<RecordId, kLatest> latest_{};
  std::size_t seen_ = 0;
};

// One finding for each incident. While it goes on it is told again, once in kRepeat at most.
class Incident {
 public:
  static constexpr std::chrono::nanoseconds kRepeat = std::chrono::minutes(1);

  [[nodiscard]] bool told() const { return told_.has_value(); }
  // Whether now is the time; if so, it counts as told.
  bool tell(MonotonicTime now) {
    if (told_ && now < *told_ + kRepeat) return false;
    told_ = now;
    return true;
  }

 private:
  std::optional<MonotonicTime> told_;
};

struct Report {
  Detected detected;  // but for its evidence and `because`; its texts need not be in the arena
  std::string summary, suggestion;
};
// Publishes the fact and emits its record.
void report(const Report& report, const Because& because, Output& out);

// The name that the World has; "": none.
[[nodiscard]] std::string_view name_of(ProcessId id, const World& world);
// The name it got by its exec. Who only forked has that of its parent there, and goes by the one
// that its own child was born with.
[[nodiscard]] std::string_view name_of_parent(ProcessId id, std::string_view of_child,
                                              const World& world);
// "1.5 s"; from 10 s on "42 s".
[[nodiscard]] std::string seconds(std::chrono::nanoseconds time);

}  // namespace tapio::process
