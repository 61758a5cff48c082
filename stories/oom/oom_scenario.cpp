// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "child.hpp"
#include "memory_cgroup.hpp"
#include "scenario.hpp"

namespace tapio::oom {
namespace {

using namespace std::chrono_literals;
using Ready = Stage::Ready;

constexpr std::uint64_t kMiB = 1 << 20, kLimit = 24 * kMiB;
constexpr auto kPause = 90ms;       // between steps of 1 MiB: some 2 s to the limit
constexpr auto kSlowPause = 800ms;  // some 16 s, beside a neighbour
constexpr auto kReadAgain = 2s;     // counters are read once a second while the cgroup is there
constexpr double kLeastSure = 0.85;

// Somebody who has taken memory in a cgroup, and ends when he is told to.
struct Neighbour {
  pid_t pid = 0;
  Fd leave;  // closed: he exits with 0
};

Result<Neighbour> neighbour(Stage& stage, const MemoryCgroup& cgroup, std::uint64_t bytes) {
  auto [reader, writer] = TRY(Pipe::open());
  const auto actor = TRY(stage.start("neighbour", [&](const Ready& ready) -> int {
    writer = Fd();
    if (!cgroup.join()) return 1;
    take_memory(bytes, kMiB, 0ms);
    ready({});
    char nothing = 0;
    return ::read(reader.get(), &nothing, 1) == 0 ? 0 : 1;
  }));
  stage.note(fmt::format("it has taken {} MiB in cgroup {}", bytes / kMiB, cgroup.path()));
  return Neighbour{.pid = actor.pid, .leave = std::move(writer)};
}

// Takes memory until the kernel kills it.
Result<pid_t> hog(Stage& stage, const MemoryCgroup& cgroup, std::string_view score_adj = "0",
                  std::chrono::milliseconds pause = kPause) {
  const auto actor = TRY(stage.start("hog", [&](const Ready& ready) -> int {
    std::ofstream("/proc/self/oom_score_adj") << score_adj;  // up: everybody may
    if (!cgroup.join()) return 1;
    ready({});
    take_memory(2 * kLimit, kMiB, pause);
    return 0;
  }));
  // Patience is for what comes soon.
  if (pause > kPause) std::this_thread::sleep_for(kLimit / kMiB * pause * 2 / 3);
  stage.note(fmt::format("it takes 1 MiB every {} ms in cgroup {}", pause.count(), cgroup.path()));
  TRY(stage.must_be_killed(actor.pid, SIGKILL));
  return actor.pid;
}

Result<MemoryCgroup> limited(Stage& stage, std::string_view name) {
  auto cgroup = TRY(MemoryCgroup::make(name));
  TRY(cgroup.limit(kLimit));
  stage.note(fmt::format("cgroup {} has a limit of {} MiB", cgroup.path(), kLimit / kMiB));
  return cgroup;
}

Expectation killed(pid_t victim, const MemoryCgroup& of_limit, pid_t cause,
                   std::string_view cause_name) {
  return {
      .pid = victim,
      .title = "was killed by the OOM killer",
      .name = "hog",
      .kind = "oom",
      .cause = cause,
      .cause_name = std::string(cause_name),
      .says = {fmt::format("was killed by the OOM killer: cgroup {} used all of its limit of 24 "
                           "MiB",
                           of_limit.path()),
               fmt::format("hog (pid {}) asked for memory", victim),
               fmt::format("hog (pid {}) died by SIGKILL", victim)},
      .recorded = {"kernel.oom.report", of_limit.path()},
      .least_sure = kLeastSure};
}

Result<Expectation> alone(Stage& stage) {
  const auto cgroup = TRY(limited(stage, "tapio-oom"));
  TRY(stage.incident());
  const pid_t victim = TRY(hog(stage, cgroup));
  auto expected = killed(victim, cgroup, victim, "hog");
  expected.says.emplace_back("it is the limit of the victim's own cgroup");
  return expected;
}

// The kernel takes the one that offers itself, with oom_score_adj 1000.
Result<Expectation> beside_a_larger_one(Stage& stage) {
  const auto cgroup = TRY(limited(stage, "tapio-oom"));
  auto larger = TRY(neighbour(stage, cgroup, 18 * kMiB));
  TRY(stage.incident());
  const pid_t victim = TRY(hog(stage, cgroup, "1000"));
  larger.leave = Fd();
  TRY(stage.must_exit(larger.pid, 0));
  auto expected = killed(victim, cgroup, larger.pid, "neighbour");
  expected.says.push_back(fmt::format("neighbour (pid {}) used most", larger.pid));
  expected.says.push_back(fmt::format("hog (pid {}, the victim)", victim));
  return expected;
}

Result<Expectation> at_a_limit_above(Stage& stage) {
  auto outer = TRY(limited(stage, "tapio-oom"));
  const auto first = TRY(MemoryCgroup::make("first", &outer));
  const auto second = TRY(MemoryCgroup::make("second", &outer));
  auto smaller = TRY(neighbour(stage, first, 6 * kMiB));
  TRY(stage.incident());
  const pid_t victim = TRY(hog(stage, second));
  smaller.leave = Fd();
  TRY(stage.must_exit(smaller.pid, 0));
  auto expected = killed(victim, outer, victim, "hog");
  expected.says.push_back("it is the limit of a parent: the victim is in cgroup " + second.path());
  expected.says.push_back(fmt::format("neighbour (pid {})", smaller.pid));
  return expected;
}

// Slow enough to be read a dozen times, and to be predicted: all that is told of a kill is told.
Result<Expectation> after_slow_growth(Stage& stage) {
  const auto cgroup = TRY(limited(stage, "tapio-oom"));
  auto smaller = TRY(neighbour(stage, cgroup, 4 * kMiB));
  TRY(stage.incident());
  const pid_t victim = TRY(hog(stage, cgroup, "0", kSlowPause));
  std::this_thread::sleep_for(kReadAgain);
  smaller.leave = Fd();
  TRY(stage.must_exit(smaller.pid, 0));
  auto expected = killed(victim, cgroup, victim, "hog");
  const auto say = [&](std::string text) { expected.says.push_back(std::move(text)); };
  say(fmt::format("memory of cgroup {} grew from ", cgroup.path()));
  say("it was predicted ");
  say(fmt::format("before the kill: cgroup {} used ", cgroup.path()));
  say("(files of the cgroup)");
  say("after the kill its counters were: ");
  say("before the kill: the node had ");
  // Not 24 MiB: the last charge failed, and was a batch for a CPU.
  say("MiB, with a limit of 24 MiB (");
  say(fmt::format("hog (pid {}, the victim)", victim));
  say(fmt::format("neighbour (pid {})", smaller.pid));
  say("its badness was ");
  return expected;
}

constexpr Scenario kScenarios[] = {
    {"oom_alone", "A process takes more memory than its cgroup may have.", alone},
    {"oom_beside_a_larger_one",
     "One that is not the largest in the cgroup offers itself to the OOM killer.",
     beside_a_larger_one},
    {"oom_after_slow_growth",
     "A process takes memory for a quarter of a minute, until its cgroup may have no more.",
     after_slow_growth},
    {"oom_at_a_limit_above", "The limit that is reached is that of a cgroup above.",
     at_a_limit_above},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::oom
