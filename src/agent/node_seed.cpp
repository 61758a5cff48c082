// SPDX-License-Identifier: Apache-2.0
// Who and what was there before the node, from /proc and the cgroup file system.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/node.hpp"
#include "base/log.hpp"

namespace tapio::agent {

namespace {

using namespace std::chrono_literals;

constexpr auto kSeedBudget = 5ms;  // of each pass, so that events are not held up
constexpr auto kLookAgain = 2s;    // for /proc and cgroups, while they are not mounted
constexpr auto kNever = MonotonicTime::max();
constexpr auto kWalkAgainAfter = 5s;  // over cgroups, when no events tell of them

}  // namespace

void Node::seed(MonotonicTime now) {
  auto& known = pipeline_.known();
  if (!seeder_ && (now >= seed_again_ || (known.wants_resync() && !proc_missing_))) begin_seed(now);
  if (!seeder_) return;
  const bool complete = seeder_->step(kSeedBudget, [&](const proc::Snapshot& snapshot) {
    const std::vector<std::string_view> args(snapshot.args.begin(), snapshot.args.end());
    Arena arena;
    std::span<const std::string_view> clean;
    pipeline_.redactor().redact_args(args, arena, clean);
    inlet_(replay::ProcessFound{snapshot.fact(clean)});
  });
  if (complete) end_seed(now);
}

// Inside of a pid namespace /proc has other numbers than events; and without events nothing would
// keep the table true.
void Node::begin_seed(MonotonicTime now) {
  seed_again_ = kNever;
  if (capture::own_pid_namespace().ino || !hears_of(facts_of<ProcessExited>)) return;
  if (pipeline_.known().wants_resync()) {
    inlet_(replay::ResyncBegan{now});
    resyncing_ = true;
  }
  if (auto seeder = proc::Seeder::open())
    seeder_.emplace(std::move(*seeder));
  else
    end_seed(now);
}

// Who sees not even itself sees no /proc.
void Node::end_seed(MonotonicTime now) {
  const bool missing = !seeder_ || seeder_->stats().found == 0;
  if (missing) seed_again_ = now + kLookAgain;
  if (!missing && std::exchange(resyncing_, false))
    inlet_(replay::ResyncEnded{seeder_->coverage()});
  seeder_.reset();
  if (missing == std::exchange(proc_missing_, missing)) return;
  if (missing)
    log::warning("/proc shows no process: who was there before is not known until it is back");
  else
    log::info("/proc is back");
}

bool Node::hears_of(FactSet facts) const {
  return std::ranges::any_of(sources_, [&](const Source& source) {
    return source.programs && (source.selected.descriptor->provides & facts) != 0;
  });
}

// Somebody reads cgroups, and no event says which there are.
bool Node::has_to_walk_again(MonotonicTime now) const {
  constexpr auto kCgroups = facts_of<CgroupCreated>;
  return now >= cgroup_walk_began_ + kWalkAgainAfter && !hears_of(kCgroups) &&
         std::ranges::any_of(sources_, [&](const Source& source) {
           return !source.choices.empty() && (source.selected.descriptor->needs & kCgroups) != 0;
         });
}

// After the programs are attached, as with processes: what is made meanwhile is an event.
void Node::seed_cgroups(MonotonicTime now) {
  auto& known = pipeline_.known();
  const bool wanted = known.wants_cgroup_walk() || has_to_walk_again(now);
  if (!cgroup_walk_ && wanted && now >= walk_again_) begin_cgroup_walk(now);
  if (!cgroup_walk_) return;
  const auto found = [&](std::uint64_t id, std::string_view path, MonotonicTime time) {
    inlet_(replay::CgroupFound{time, id, path});
  };
  if (!cgroup_walk_->step(kSeedBudget, found)) return;
  if (cgroup_walk_->complete()) inlet_(replay::WalkEnded{now});
  cgroup_walk_.reset();
}

void Node::begin_cgroup_walk(MonotonicTime now) {
  const Status found = find_cgroups();
  auto walker = found ? cgroupfs::Walker::open(hierarchy_.mount)
                      : Result<cgroupfs::Walker>(std::unexpected(found.error()));
  const bool missing = !walker;
  walk_again_ = missing ? now + kLookAgain : MonotonicTime{};
  if (walker) {
    cgroup_walk_began_ = now;
    inlet_(replay::WalkBegan{now});
    cgroup_walk_.emplace(std::move(*walker));
  }
  if (missing == std::exchange(cgroups_missing_, missing)) return;
  if (missing)
    log::warning("cgroups that were there before are not known: {}", walker.error().what);
  else
    log::info("cgroups are mounted at {}", hierarchy_.mount);
}

// Those whose ids events carry; what was mounted after the start is found now.
Status Node::find_cgroups() {
  if (capture::is_cgroup_mount(hierarchy_.mount)) return {};
  auto found = capture::find_hierarchy(kernel_.btf);
  if (found.mount.empty() || !capture::is_cgroup_mount(found.mount))
    return fail(Fault::unavailable, "no cgroup file system is mounted");
  if (found.subsystem != hierarchy_.subsystem)
    return fail(Fault::unavailable,
                fmt::format("{} is mounted now, and the programs have ids of {}: restart",
                            found.name, hierarchy_.name));
  hierarchy_ = std::move(found);
  cgroup_resolver_.emplace(hierarchy_);
  return {};
}

// What neither an event nor the walk told of, by the processes that are in it. The rate is bounded.
void Node::resolve_cgroups(MonotonicTime now) {
  if (cgroup_walk_) return;
  const auto unknown = pipeline_.take_unknown_cgroups();
  if (unknown.empty() || capture::own_pid_namespace().ino) return;
  for (const auto& [id, pid] : unknown)
    if (const auto path = cgroup_resolver_->path_of(id, pid, now))
      inlet_(replay::CgroupFound{now, id, *path});
}

bool Node::is_seeded() {
  return !seeder_ && seed_again_ == kNever && !cgroup_walk_ &&
         !pipeline_.known().wants_cgroup_walk();
}

std::vector<std::string_view> Node::missing() const {
  std::vector<std::string_view> list;
  if (proc_missing_)
    list.emplace_back("/proc shows no process, so who was there before is not known");
  if (cgroups_missing_)
    list.emplace_back("no cgroup file system can be read, so whose a cgroup is may not be known");
  if (const auto restrained = spared_by(governor_.step()); !restrained.empty())
    list.push_back(restrained);
  return list;
}

}  // namespace tapio::agent
