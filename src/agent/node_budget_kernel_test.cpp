// SPDX-License-Identifier: Apache-2.0
// The governor on the live kernel: a storm of signals makes the agent go through all steps, and
// back when it is over.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "rig.hpp"
#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const int kHarmless = SIGRTMIN + 8;
constexpr std::string_view kOff = "off: to hold the budget";

class Told final : public Sink {
 public:
  struct Seen {
    std::vector<std::string> steps, reasons;
  };
  explicit Told(Seen& seen) : seen_(seen) {}
  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      if (record.schema != &kBudgetStep) continue;
      seen_.steps.emplace_back(std::get<std::string_view>(record.values[1]));
      seen_.reasons.emplace_back(std::get<std::string_view>(record.values[2]));
    }
    return {};
  }

 private:
  Seen& seen_;
};

// A process that sends itself signals from begin() to end(). It is there before the node: a child
// that is forked later has its descriptors too, and as long as it lives nothing is detached.
class Storm {
 public:
  Storm() {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    char go = 0;
    ::signal(kHarmless, [](int) {});
    if (::read(ends_[0], &go, 1) != 1) ::_exit(1);
    while (::getppid() != 1) ::kill(::getpid(), kHarmless);
    ::_exit(0);
  }
  ~Storm() {
    end();
    for (const int fd : ends_) ::close(fd);
  }
  void begin() { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  std::array<int, 2> ends_{};
  pid_t pid_ = 0;
};

class BudgetOnKernel : public OnEveryPath {
 protected:
  void SetUp() override {
    OnEveryPath::SetUp();
    set("observers.process", "rate_per_second", "0");
    set("observers.process", "signals", std::to_string(kHarmless));
    set("observers.container", "enabled", "false");
  }
  void set(std::string_view section, std::string_view setting, const std::string& value) {
    const std::vector<std::string> values{value};
    Rig::must(configuration_.at(section).set(setting, values));
  }
  void start(std::chrono::seconds calm) {
    NodeOptions options{.configuration = configuration_,
                        .socket = "",
                        .configured_sinks = false,
                        .canary_song = {"/bin/sh", "-c", "kill -9 $$"},
                        .pace = {.over = 3, .calm = calm, .longest_calm = 2 * calm}};
    options.sinks.emplace_back("told", std::make_unique<Told>(seen));
    node = Rig::must(Node::start(std::move(options)));
  }
  // Looks a few times a second: to look costs, too.
  bool run_until(const std::function<bool()>& done) {
    const auto end = monotonic_now() + 60s;
    bool is_done = false;
    auto next = monotonic_now();
    node->run([&] {
      if (const auto now = monotonic_now(); now >= next) {
        next = now + 300ms;
        is_done = done();
      }
      return is_done || monotonic_now() > end;
    });
    return is_done;
  }
  serve::Json status() { return Rig::must(serve::parse_json(node->status_json())); }
  Step step() {
    const auto now = status();
    for (auto step = Step::normal_off; step > Step::full;
         step = static_cast<Step>(std::to_underlying(step) - 1))
      if (now["budget"]["step"].text() == step_name(step)) return step;
    return Step::full;
  }
  // This one or a later one: what it spares is spared from then on.
  void run_until_step(Step wanted) {
    EXPECT_TRUE(run_until([&] { return step() >= wanted; })) << step_name(wanted);
  }
  // Books are read once a second, or less often where there is much to do.
  bool comes_to_stand_still(std::string_view hook, std::string_view key) {
    static constexpr int kReadings = 8;
    std::uint64_t last = 0;
    int same = 0;
    return run_until([&] {
      const auto now = ledger(hook, key);
      same = now == std::exchange(last, now) ? same + 1 : 0;
      return same >= kReadings;
    });
  }
  // Of a hook in the ledger, of all classes.
  std::uint64_t ledger(std::string_view hook, std::string_view key) {
    const auto now = status();
    for (const auto& row : now["ledger"]["rows"].items())
      if (row["hook"].text() == hook) return row[key].count();
    return 0;
  }
  std::string state_of(std::string_view hook) {
    for (const auto& each : node->hooks())
      if (each.hook == hook) return each.canary;
    return "";
  }

  config::Tree configuration_ = configuration();
  Storm storm;
  Told::Seen seen;  // of the sink's thread until node->finish()
  std::unique_ptr<Node> node;
};
INSTANTIATE_TEST_SUITE_P(Paths, BudgetOnKernel, testing::Values(""), path_name);

// Whether normal_off is needed depends on what counting costs here: the same with bulk shows it.
TEST_P(BudgetOnKernel, each_step_is_taken_in_a_storm) {
  set("budget", "cpu", "1");
  start(1h);
  storm.begin();
  run_until_step(Step::bulk_sampled);
  EXPECT_TRUE(run_until([&] { return ledger("signal_deliver", "sampled_out") > 0; }));
  run_until_step(Step::bulk_counted);
  EXPECT_TRUE(comes_to_stand_still("signal_deliver", "emitted"));
  run_until_step(Step::bulk_off);
  EXPECT_EQ(state_of("signal_deliver"), kOff);
  EXPECT_TRUE(comes_to_stand_still("signal_deliver", "entered"));
  run_until_step(Step::normal_sampled);
  EXPECT_TRUE(run_until([&] { return ledger("signal_generate", "sampled_out") > 0; }));
  run_until_step(Step::normal_counted);
  EXPECT_TRUE(comes_to_stand_still("signal_generate", "emitted"));
  EXPECT_EQ(state_of("fork"), "seen") << "state is never spared";
  EXPECT_THAT(node->status_json(), HasSubstr("\"missing\":[\"to hold its budget")) << "for stories";
  storm.end();
  node->finish();
  EXPECT_EQ(status()["ledger"]["residue"].integer(), 0);
  seen.steps.resize(5);
  EXPECT_THAT(seen.steps, ElementsAre("bulk_sampled", "bulk_counted", "bulk_off", "normal_sampled",
                                      "normal_counted"));
}

// The budget is what this machine can hold: where it is emulated, or everything is checked, the
// agent takes much of it also when all is quiet.
TEST_P(BudgetOnKernel, all_steps_are_taken_back_when_the_storm_is_over) {
  set("budget", "cpu", "100000");
  start(1h);
  const auto end = monotonic_now() + 5s;
  node->run([&] { return monotonic_now() > end; });
  const double quiet = status()["budget"]["cpu_used"].number();
  node.reset();
  const auto percent = std::max(10, static_cast<int>(300 * quiet));
  set("budget", "cpu", std::to_string(percent));
  start(2s);
  storm.begin();
  run_until_step(Step::bulk_sampled);
  storm.end();
  EXPECT_TRUE(run_until([&] { return step() == Step::full; })) << percent;
  EXPECT_NE(state_of("signal_deliver"), kOff);
  const auto delivered = ledger("signal_deliver", "entered");
  ::signal(kHarmless, [](int) {});
  ::kill(::getpid(), kHarmless);
  EXPECT_TRUE(run_until([&] { return ledger("signal_deliver", "entered") > delivered; }))
      << "it is on again";
  node->finish();
  EXPECT_EQ(status()["ledger"]["residue"].integer(), 0);
  EXPECT_EQ(seen.steps.back(), "full");
  EXPECT_EQ(seen.reasons.back(), "recovered");
}

// A budget below what any agent takes.
TEST_P(BudgetOnKernel, memory_makes_it_spare_as_cpu_does) {
  set("budget", "memory", "1MiB");
  start(1h);
  storm.begin();
  run_until_step(Step::bulk_sampled);
  storm.end();
  node->finish();
  ASSERT_FALSE(seen.steps.empty());
  EXPECT_EQ(seen.steps[0], "bulk_sampled");
  EXPECT_EQ(seen.reasons[0], "memory");
}

TEST_P(BudgetOnKernel, without_a_budget_nothing_is_spared) {
  start(1h);
  storm.begin();
  const auto end = monotonic_now() + 5s;
  node->run([&] { return monotonic_now() > end; });
  EXPECT_EQ(step(), Step::full);
}

}  // namespace
}  // namespace tapio::agent
