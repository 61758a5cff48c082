// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "evaluate/ending.hpp"
#include "evaluate/words.hpp"
#include "evaluate/workload.hpp"

namespace tapio::graceful_stop {

namespace {

constexpr std::chrono::nanoseconds kLongLived = std::chrono::seconds(10);

// A status that says so, or the signal itself, sent again.
bool says_so(const Ending& end) {
  return end.signal != 0 || end.code == 128 + end.cause_signal;
}

// Somebody outside stops the whole container or service: its main process tells of it.
bool is_stopped_with_its_place(const Ending& end, const World& world) {
  const auto workload = workload_of(end.cgroup_id, world);
  const Process* sender = world.process(end.sender);
  return !workload.id.empty() && sender && workload_of(sender->cgroup_id, world).id != workload.id;
}

// Helpers that are stopped when their work is done are many: told is, beside main processes, who
// had run for a while and was not stopped by its own parent.
bool is_worth_telling(const Ending& end, const World& world) {
  if (end.main_process || says_so(end)) return true;
  return end.by == By::process && end.sender != end.parent && end.lived >= kLongLived &&
         !is_stopped_with_its_place(end, world);
}

Story told(const Ending& end) {
  Story story = end.draft;
  if (end.asked && end.signal == 0 && end.code == 0)
    story.title = fmt::format("{} stopped when asked with {} by {}, in {}", story.entity,
                              signal_name(end.asked->signal),
                              story.cause.entity.empty() ? "somebody" : story.cause.entity,
                              in_words(end.time - end.asked->time));
  return story;
}

class GracefulStop final : public Rule {
 public:
  void on_ending(const Ending& end, const World& world, Tell& tell) override {
    if (end.caught && is_worth_telling(end, world)) tell.push_back(told(end));
  }
};

}  // namespace

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "graceful_stop",
    .summary = "Who asked a process to end, and how long it took to do so.",
    .needs = kEndingFacts,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<GracefulStop>(); },
};

}  // namespace tapio::graceful_stop
