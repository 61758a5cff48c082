// SPDX-License-Identifier: Apache-2.0
// Storms on the live kernel, and whether every single event is accounted for. TAPIO_STORM_DIVIDE
// makes them smaller, for emulated machines and sanitizers.
#include <sched.h>
#include <sys/mman.h>

#include <csignal>
#include <numeric>
#include <thread>

#include "process.abi.h"
#include "process_config.hpp"
#include "rig.hpp"

namespace tapio::process {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

const int kHarmless = SIGRTMIN + 7;  // that nobody else on the machine sends

std::uint64_t divided(std::uint64_t events) {
  const char* by = std::getenv("TAPIO_STORM_DIVIDE");
  return events / (by ? std::max(1, std::atoi(by)) : 1);
}

int cpus() {
  return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
}

std::unique_ptr<config::Section> settings(const Config& config) {
  auto section = config::section<Config>();
  section->as<Config>() = config;
  return section;
}

Config only_the_storm(std::size_t ring_bytes) {
  return {.rate_per_second = 0,
          .lifecycle_rate_per_second = 0,
          .deliveries = false,
          .signals = {std::to_string(kHarmless)},
          .ring = ByteSize{ring_bytes}};
}

// Of all classes of a hook, without the emitted.
std::uint64_t dropped(const capture::Balance& b) {
  std::uint64_t sum = 0;
  for (const auto& c : b.row.classes)
    sum += std::reduce(c.outcome + TAPIO_EMITTED + 1, std::end(c.outcome), std::uint64_t{0});
  return sum;
}

// One process per CPU that sends itself a signal which it ignores; its count is in shared memory.
class SignalStorm {
 public:
  SignalStorm(int processes, std::uint64_t each, std::chrono::nanoseconds at_most = 1h) {
    sent_ = static_cast<std::uint64_t*>(
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    for (int i = 0; i < processes; ++i)
      pids_.push_back(child([=, this] {
        pin_to(cpus() - 1 - i % cpus());
        ::signal(kHarmless, SIG_IGN);
        const auto end = monotonic_now() + at_most;
        std::uint64_t n = 0;
        for (; n < each && (n % 256 || monotonic_now() < end); ++n) ::kill(::getpid(), kHarmless);
        sent_[i] = n;
        return 0;
      }));
  }
  [[nodiscard]] bool running() {
    std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; });
    return !pids_.empty();
  }
  [[nodiscard]] std::uint64_t sent() const { return std::reduce(sent_, sent_ + 64); }
  ~SignalStorm() { ::munmap(sent_, 4096); }

 private:
  std::vector<pid_t> pids_;
  std::uint64_t* sent_;
};

// Reads so slowly that about `share` of the events of a hook are lost, and no more.
template <typename Storm>
void read_losing(Rig& rig, std::uint32_t hook, double share, Storm& storm) {
  while (storm.running()) {
    const auto b = rig.balance(hook);
    const auto wanted = static_cast<double>(b.read + dropped(b));
    if (share == 0 || static_cast<double>(dropped(b)) >= share * wanted) rig.count();
    std::this_thread::sleep_for(share == 0 ? 1ms : 2ms);
  }
  rig.programs->detach();
  rig.count();
}

void expect_closed(const Rig& rig, std::uint32_t hook, std::uint64_t generated) {
  const auto b = rig.balance(hook);
  std::uint64_t wanted = 0;
  for (const auto& c : b.row.classes) wanted += c.wanted;
  std::printf("    generated %lu = records %lu + counted outcomes %lu (%.1f %% lost)\n", generated,
              b.read, dropped(b),
              100.0 * static_cast<double>(dropped(b)) / static_cast<double>(generated));
  EXPECT_EQ(wanted, generated);
  EXPECT_EQ(b.read + dropped(b), generated);
  EXPECT_EQ(b.missing, static_cast<std::int64_t>(dropped(b))) << "sequences tell what is missing";
  EXPECT_EQ(b.in_flight, 0);
  EXPECT_EQ(b.in_ring, 0);
  EXPECT_EQ(b.residue, 0);
}

class Storms : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, Storms, kEveryPathAndRing, path_name);

struct Level {
  double lost;
  std::size_t ring_bytes;
};
constexpr Level kLevels[] = {{0, 16 << 20}, {0.05, 1 << 20}, {0.6, 256 << 10}};

TEST_P(Storms, a_million_signals_are_accounted_for_at_every_level_of_loss) {
  for (const auto& [lost, ring_bytes] : kLevels) {
    Rig rig(descriptor, *settings(only_the_storm(ring_bytes)), {.self_tgid = 1});
    SignalStorm storm(cpus(), divided(1'000'000) / static_cast<unsigned>(cpus()));
    read_losing(rig, TAPIO_PROCESS_ON_GENERATE, lost, storm);
    expect_closed(rig, TAPIO_PROCESS_ON_GENERATE, storm.sent());
    if (lost > 0 && storm.sent() > 100'000) {
      EXPECT_GT(dropped(rig.balance(TAPIO_PROCESS_ON_GENERATE)), 0u);
    }
  }
}

// A chain: a small static program that runs itself again and again.
class ExecStorm {
 public:
  explicit ExecStorm(std::uint64_t count) {
    pid_ = child([=] {
      ::execl(TAPIO_EXEC_CHAIN, "exec_chain", std::to_string(count - 1).c_str(), nullptr);
      return 127;
    });
    chain_ = pid_;
  }
  [[nodiscard]] bool running() {
    if (pid_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = 0;
    return pid_ != 0;
  }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] pid_t pid() const { return chain_; }

 private:
  pid_t pid_;    // 0: it has ended
  pid_t chain_;  // the same, for ever
  int status_ = 0;
};

TEST_P(Storms, a_hundred_thousand_execs_are_accounted_for_at_every_level_of_loss) {
  for (const auto& [lost, ring_bytes] : kLevels) {
    Rig rig(descriptor, *settings(only_the_storm(ring_bytes)), {.self_tgid = 1});
    const auto others_before = rig.balance(TAPIO_PROCESS_ON_EXEC).row.entered;
    const auto count = divided(100'000);
    ExecStorm storm(count);
    rig.watched_kind = TAPIO_PROCESS_EXEC;
    rig.watched_pid = static_cast<std::uint32_t>(storm.pid());
    read_losing(rig, TAPIO_PROCESS_ON_EXEC, lost, storm);
    ASSERT_EQ(storm.status(), 0) << "the chain did not run to its end";
    // Others on the machine run programs too; the books are closed over all of them.
    const auto entered = rig.balance(TAPIO_PROCESS_ON_EXEC).row.entered - others_before;
    const auto lost_of_all = dropped(rig.balance(TAPIO_PROCESS_ON_EXEC));
    EXPECT_GE(entered, count);
    EXPECT_LE(rig.counted, count);
    EXPECT_GE(rig.counted + lost_of_all, count) << "execs of the chain are missing in the books";
    if (lost_of_all == 0) {
      EXPECT_EQ(rig.counted, count) << "each exec of the chain comes once";
    }
    expect_closed(rig, TAPIO_PROCESS_ON_EXEC, entered);
  }
}

TEST_P(Storms, no_critical_event_is_lost_while_normal_ones_are) {
  auto config = only_the_storm(64 << 10);
  config.signals.emplace_back("KILL");
  Rig rig(descriptor, *settings(config), {.self_tgid = 1});
  SignalStorm storm(cpus(), divided(1'000'000) / static_cast<unsigned>(cpus()));
  constexpr std::uint64_t kDeaths = 300;
  std::uint64_t killed = 0;
  for (; killed < kDeaths; ++killed) {
    const pid_t victim = child([] {
      ::pause();
      return 0;
    });
    ::kill(victim, SIGKILL);
    wait_for(victim);
    if (killed % 50 == 0) rig.count();
  }
  while (storm.running()) rig.count(), std::this_thread::sleep_for(30ms);
  rig.programs->detach();
  rig.count();
  for (const auto hook : {TAPIO_PROCESS_ON_GENERATE, TAPIO_PROCESS_ON_DEATH}) {
    const auto b = rig.balance(hook);
    const auto& critical = b.row.classes[TAPIO_CRITICAL];
    EXPECT_GE(critical.wanted, kDeaths);
    EXPECT_EQ(critical.outcome[TAPIO_EMITTED], critical.wanted);
  }
}

TEST_P(Storms, critical_events_beyond_the_share_of_a_cgroup_are_counted_by_signal) {
  auto config = only_the_storm(64 << 10);
  config.signals = {"KILL"};
  Rig rig(descriptor, *settings(config), {.self_tgid = 1, .fair_share = 20});
  std::uint64_t killed = 0;
  for (; killed < 500; ++killed) {
    const pid_t victim = child([] {
      ::pause();
      return 0;
    });
    ::kill(victim, SIGKILL);
    wait_for(victim);
  }
  rig.count();
  const auto generate = rig.balance(TAPIO_PROCESS_ON_GENERATE).row.classes[TAPIO_CRITICAL];
  const auto death = rig.balance(TAPIO_PROCESS_ON_DEATH).row.classes[TAPIO_CRITICAL];
  const auto aggregated = generate.outcome[TAPIO_AGGREGATED] + death.outcome[TAPIO_AGGREGATED];
  EXPECT_GT(aggregated, 0u);
  std::uint64_t surplus = 0;
  for (const auto& a : rig.programs->take_surplus()) {
    surplus += a.count;
    EXPECT_EQ(a.detail, std::uint64_t{SIGKILL});
  }
  EXPECT_EQ(surplus, aggregated);
  EXPECT_TRUE(rig.programs->take_surplus().empty()) << "a count is taken once";
}

// Above the rate it lets through what was saved while the programs were attached.
TEST_P(Storms, the_limiter_admits_its_rate_on_one_cpu_and_on_all) {
  using Seconds = std::chrono::duration<double>;
  for (const int processes : {1, cpus()}) {
    auto config = only_the_storm(4 << 20);
    config.rate_per_second = 1000;
    const auto before_filling = monotonic_now();
    Rig rig(descriptor, *settings(config), {.self_tgid = 1});
    const auto start = monotonic_now();
    SignalStorm storm(processes, ~0ull, 3s);
    while (storm.running()) rig.count(), std::this_thread::sleep_for(20ms);
    const Seconds took = monotonic_now() - start, filled = monotonic_now() - before_filling;
    rig.programs->detach();
    rig.count();
    const auto b = rig.balance(TAPIO_PROCESS_ON_GENERATE);
    const auto admitted = static_cast<double>(b.row.classes[TAPIO_NORMAL].outcome[TAPIO_EMITTED]);
    std::printf("    %d processes, %lu signals: %.0f/s admitted\n", processes, storm.sent(),
                admitted / took.count());
    EXPECT_GT(storm.sent(), 10'000u);
    EXPECT_GE(admitted, 900 * took.count());
    EXPECT_LE(admitted, 1000 * filled.count() + 100 * took.count());
    expect_closed(rig, TAPIO_PROCESS_ON_GENERATE, storm.sent());
  }
}

TEST_P(Storms, sampling_keeps_its_share_and_counts_the_rest) {
  auto config = only_the_storm(16 << 20);
  config.keep_one_in = 10;
  Rig rig(descriptor, *settings(config), {.self_tgid = 1});
  SignalStorm storm(1, divided(200'000));
  read_losing(rig, TAPIO_PROCESS_ON_GENERATE, 0, storm);
  expect_closed(rig, TAPIO_PROCESS_ON_GENERATE, storm.sent());
  const auto b = rig.balance(TAPIO_PROCESS_ON_GENERATE);
  EXPECT_NEAR(static_cast<double>(b.read), static_cast<double>(storm.sent()) / 10,
              static_cast<double>(storm.sent()) / 50);
}

}  // namespace
}  // namespace tapio::process
