// SPDX-License-Identifier: Apache-2.0
// The governor on the live kernel: a storm of signals makes the agent go through all steps, and
// back when it is over.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "rig.hpp"
#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const int kHarmless = SIGRTMIN + 8;

class Told final : public Sink {
 public:
  struct Seen {
    std::vector<std::string> steps;
    std::uint64_t signals = 0;
  };
  explicit Told(Seen& seen) : seen_(seen) {}
  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      if (record.schema == &kBudgetStep)
        seen_.steps.emplace_back(std::get<std::string_view>(record.values[1]));
      seen_.signals += record.schema->name == "process.signal";
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
  void start() {
    NodeOptions options{.configuration = configuration_,
                        .socket = "",
                        .configured_sinks = false,
                        .canary_song = {"/bin/sh", "-c", "kill -9 $$"},
                        .pace = {.over = 3, .calm = 2s, .longest_calm = 4s}};
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
  std::string step() { return std::string(status()["budget"]["step"].text()); }
  void run_until_step(std::string_view wanted) {
    EXPECT_TRUE(run_until([&] { return step() == wanted; })) << wanted << ", not " << step();
  }
  // So that the books are newer than what was done.
  void run_for_a_while() {
    const auto end = monotonic_now() + 2s;
    node->run([&] { return monotonic_now() > end; });
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

TEST_P(BudgetOnKernel, each_step_is_taken_in_a_storm_and_all_are_taken_back_after_it) {
  // Sanitizers take their part, also when all is quiet.
  set("budget", "cpu", std::getenv("TAPIO_STORM_DIVIDE") ? "10" : "3");
  start();
  storm.begin();
  run_until_step("bulk_sampled");
  run_for_a_while();
  EXPECT_GT(ledger("signal_deliver", "sampled_out"), 0u);
  run_until_step("bulk_counted");
  run_for_a_while();
  const auto emitted = ledger("signal_deliver", "emitted");
  EXPECT_EQ(ledger("signal_generate", "sampled_out"), 0u) << "normal comes later";
  run_until_step("bulk_off");
  EXPECT_EQ(state_of("signal_deliver"), "off: to hold the budget");
  EXPECT_EQ(ledger("signal_deliver", "emitted"), emitted) << "it was counted alone";
  run_for_a_while();
  const auto entered = ledger("signal_deliver", "entered");
  run_until_step("normal_sampled");
  EXPECT_EQ(ledger("signal_deliver", "entered"), entered) << "it is off";
  run_for_a_while();
  EXPECT_GT(ledger("signal_generate", "sampled_out"), 0u);
  run_until_step("normal_counted");
  EXPECT_EQ(status()["budget"]["spares"].text(), spared_by(Step::normal_counted));
  EXPECT_THAT(node->status_json(), HasSubstr("\"missing\":[\"to hold its budget")) << "for stories";
  run_until_step("normal_off");
  EXPECT_EQ(state_of("signal_generate"), "off: to hold the budget");
  EXPECT_EQ(state_of("fork"), "seen") << "state is never spared";
  storm.end();
  run_until_step("full");
  EXPECT_NE(state_of("signal_deliver"), "off: to hold the budget");

  const auto delivered = ledger("signal_deliver", "entered");
  ::signal(kHarmless, [](int) {});
  ::kill(::getpid(), kHarmless);
  const auto end = monotonic_now() + 20s;
  node->run(
      [&] { return ledger("signal_deliver", "entered") > delivered || monotonic_now() > end; });
  EXPECT_GT(ledger("signal_deliver", "entered"), delivered) << "it is on again";
  node->finish();
  EXPECT_EQ(status()["ledger"]["residue"].integer(), 0);
  EXPECT_THAT(seen.steps, Contains("normal_off"));
  EXPECT_EQ(seen.steps.at(0), "bulk_sampled");
  EXPECT_EQ(seen.steps.back(), "full");
}

// What an event costs does not matter to memory: a budget below what any agent takes is always
// exceeded, and raised it is not.
TEST_P(BudgetOnKernel, memory_makes_it_spare_as_cpu_does) {
  set("budget", "memory", "1MiB");
  start();
  storm.begin();
  run_until_step("bulk_sampled");
  storm.end();
  node->finish();
  EXPECT_THAT(seen.steps, ElementsAre("bulk_sampled"));
}

TEST_P(BudgetOnKernel, without_a_budget_nothing_is_spared) {
  start();
  storm.begin();
  run_for_a_while();
  run_for_a_while();
  EXPECT_EQ(step(), "full");
}

}  // namespace
}  // namespace tapio::agent
