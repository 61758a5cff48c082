// SPDX-License-Identifier: Apache-2.0
// The whole way, from the kernel to a sink, on the live kernel: what was caused is what consumers
// get, or what gap records say they did not get.
#include "agent/node.hpp"

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "agent/configuration.hpp"
#include "agent/terminal.hpp"
#include "rig.hpp"
#include "serve/client.hpp"
#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;

const int kHarmless = SIGRTMIN + 9;

std::uint64_t divided(std::uint64_t events) {
  const char* by = std::getenv("TAPIO_STORM_DIVIDE");
  return events / (by ? std::max(1, std::atoi(by)) : 1);
}

// Counts what comes out, as a consumer would.
class Counting final : public Sink {
 public:
  struct Seen {
    std::map<std::string, std::uint64_t, std::less<>> records;  // by name
    std::map<std::string, std::uint64_t, std::less<>> gaps;     // "class stage reason" -> count
    std::vector<std::string> titles;
    std::set<RecordId> ids;
    bool ids_unique = true;
  };
  explicit Counting(Seen& seen) : seen_(seen) {}

  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      seen_.records[std::string(record.schema->name)]++;
      seen_.ids_unique &= seen_.ids.insert(record.id).second;
      if (record.schema->kind == Kind::gap)
        seen_.gaps[text(record, 1) + " " + text(record, 2) + " " + text(record, 3)] +=
            std::get<std::uint64_t>(record.values[6]);
      if (record.schema->kind == Kind::story) seen_.titles.push_back(text(record, 0));
    }
    return {};
  }

 private:
  static std::string text(const Record& record, std::size_t field) {
    return std::string(std::get<std::string_view>(record.values.at(field)));
  }
  Seen& seen_;
};

class NodeOnKernel : public OnEveryPath {
 protected:
  void SetUp() override {
    OnEveryPath::SetUp();
    set("observers.process", "deliveries", "false");
    set("observers.container", "enabled", "false");  // cgroups of others would be in the sums
    set("agent", "cpus_per_ring", std::to_string(cpus_per_ring_of_path()));
  }
  void set(std::string_view section, std::string_view setting, const std::string& value) {
    const std::vector<std::string> values{value};
    Rig::must(configuration_.at(section).set(setting, values));
  }
  void start(std::string socket = "") {
    NodeOptions options{.configuration = configuration_,
                        .socket = std::move(socket),
                        .configured_sinks = false,
                        .canary_song = {"/bin/sh", "-c", "kill -9 $$"}};
    options.sinks.emplace_back("counting", std::make_unique<Counting>(seen));
    node = Rig::must(Node::start(std::move(options)));
  }
  void run_until(const std::function<bool()>& done) {
    const auto end = monotonic_now() + 120s;
    node->run([&] { return done() || monotonic_now() > end; });
  }
  void run_for(std::chrono::nanoseconds time) {
    const auto end = monotonic_now() + time;
    node->run([&] { return monotonic_now() > end; });
  }
  std::uint64_t gaps(std::string_view event_class) {
    std::uint64_t sum = 0;
    for (const auto& [what, count] : seen.gaps)
      if (what.starts_with(event_class)) sum += count;
    return sum;
  }

  config::Tree configuration_ = configuration();
  Counting::Seen seen;  // of the sink's thread until node->finish()
  std::unique_ptr<Node> node;
};
INSTANTIATE_TEST_SUITE_P(Paths, NodeOnKernel, kEveryPathAndRing, path_name);

TEST_P(NodeOnKernel, records_and_gaps_are_what_was_generated) {
  struct Load {
    const char* name;
    const char* ring;
    const char* rate;
    std::uint64_t rest_after;  // so many signals the storm takes a breath
  };
  for (const Load& load :
       {Load{"paced", "16MiB", "0", 50}, Load{"roomy", "16MiB", "0", ~0ull},
        Load{"tight", "4KiB", "0", ~0ull}, Load{"limited", "256KiB", "500", ~0ull}}) {
    SCOPED_TRACE(load.name);
    seen = {};
    set("observers.process", "signals", std::to_string(kHarmless));
    set("observers.process", "ring", load.ring);
    set("observers.process", "rate_per_second", load.rate);
    start();
    const auto generated = divided(load.rest_after < 100 ? 50'000 : 300'000);
    const pid_t storm = child([&] {
      ::signal(kHarmless, SIG_IGN);
      for (std::uint64_t i = 1; i <= generated; ++i) {
        ::kill(::getpid(), kHarmless);
        if (i % load.rest_after == 0) ::usleep(1000);
      }
      return 0;
    });
    run_until([&] { return ::waitpid(storm, nullptr, WNOHANG) == storm; });
    node->finish();

    const auto status = Rig::must(serve::parse_json(node->status_json()));
    EXPECT_EQ(status["ledger"]["residue"].integer(), 0);
    std::printf("    %s: generated %lu = records %lu + gaps %lu\n", load.name, generated,
                seen.records["process.signal"], gaps("normal"));
    EXPECT_EQ(seen.records["process.signal"] + gaps("normal"), generated);
    EXPECT_TRUE(seen.ids_unique);
    if (std::string_view(load.name) == "paced") {
      EXPECT_EQ(gaps("normal"), 0u);
    }
    if (std::string_view(load.name) == "limited") {
      EXPECT_GT(seen.gaps["normal kernel rate_limited"], 0u);
    }
    node.reset();
  }
}

// Under a sanitizer: nothing of what is told is taken apart meanwhile.
TEST_P(NodeOnKernel, its_status_may_be_asked_for_while_it_ends) {
  start();
  std::atomic<int> asked = 0;
  const std::jthread asker([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EXPECT_TRUE(serve::parse_json(node->status_json()));
      asked++;
    }
  });
  while (!asked) ::usleep(1000);
  node->finish();
}

TEST_P(NodeOnKernel, a_rate_on_lifecycle_records_becomes_gaps_and_hides_no_state) {
  set("observers.process", "lifecycle_rate_per_second", "50");
  start();
  run_for(1100ms);  // what other processes did before is through
  constexpr int kForks = 1500;
  const pid_t storm = child([] {
    for (int i = 0; i < kForks; ++i) wait_for(child([] { return 0; }));
    return 0;
  });
  run_until([&] { return ::waitpid(storm, nullptr, WNOHANG) == storm; });
  node->finish();
  const auto status = Rig::must(serve::parse_json(node->status_json()));
  std::uint64_t wanted = 0;
  for (const auto& row : status["ledger"]["classes"].items())
    if (row["observer"].text() == "process" && row["class"].text() == "state")
      wanted += static_cast<std::uint64_t>(row["wanted"].integer());
  std::int64_t canaries = 0;
  for (const auto& row : status["ledger"]["observers"].items())
    if (row["name"].text() == "process") canaries = row["canary"].integer();
  const auto records =
      seen.records["process.fork"] + seen.records["process.exec"] + seen.records["process.exit"];
  EXPECT_GE(wanted, 2u * kForks);
  EXPECT_GT(seen.gaps["state records rate_limited"], 0u);
  // Of the canary's events, the forks, execs and exits are of this class.
  EXPECT_LE(records + gaps("state"), wanted);
  EXPECT_GE(records + gaps("state") + static_cast<std::uint64_t>(canaries), wanted);
  EXPECT_EQ(gaps("state kernel"), 0u);
}

TEST_P(NodeOnKernel, a_killing_is_told_while_it_still_matters) {
  start();
  const pid_t victim = child([] {
    ::pause();
    return 0;
  });
  ::usleep(10'000);
  const pid_t killer = child([&] { return ::kill(victim, SIGKILL); });
  wait_for(killer);
  wait_for(victim);
  run_for(3s);
  const auto stories = node->stories_json({});
  node->finish();
  const auto victim_is = "(pid " + std::to_string(victim) + ") was killed with SIGKILL by ";
  EXPECT_THAT(seen.titles, testing::Contains(testing::AllOf(
                               testing::HasSubstr(victim_is),
                               testing::HasSubstr("(pid " + std::to_string(killer) + ")"))));
  EXPECT_THAT(stories, testing::HasSubstr(victim_is));
}

TEST_P(NodeOnKernel, every_hook_proves_itself_and_nothing_of_it_reaches_consumers) {
  start();
  std::set<std::string_view> passive = {"signal_deliver"};  // it is switched off here
  for (const auto* observer : observers())
    for (const auto& hook : observer->hooks)
      if (hook.trigger == capture::Trigger::passive) passive.insert(hook.name);
  std::size_t proven = 0;
  for (const auto& hook : node->hooks()) {
    if (passive.contains(hook.hook)) continue;
    EXPECT_EQ(hook.canary, "seen") << hook.hook;
    proven++;
  }
  EXPECT_GE(proven, 5u);
  run_for(300ms);
  node->finish();
  for (const auto& title : seen.titles)
    EXPECT_THAT(title, testing::Not(testing::HasSubstr("killed itself with SIGKILL"))) << title;
}

TEST_P(NodeOnKernel, what_programs_and_observers_cost_is_in_the_status) {
  if (const auto counting = capture::count_run_time(); !counting)
    GTEST_SKIP() << counting.error().what;
  start();
  serve::Json cost;
  const auto is_told = [&] {
    if (const auto status = serve::parse_json(node->status_json())) cost = (*status)["cost"];
    return cost["fault"].text() != "nothing was measured yet";
  };
  run_until([&] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return is_told();
  });
  node->finish();
  EXPECT_EQ(cost["fault"].text(), "");
  for (const auto& program : cost["programs"].items()) {
    if (!program["program"].text().starts_with("fork")) continue;
    EXPECT_GT(program["ns_per_run"].number(), 0);
    EXPECT_GT(program["kernel_us"].number(), 0);
    EXPECT_GT(program["runs_per_second"].number(), 0);
  }
  for (const auto& observer : cost["observers"].items()) {
    if (observer["name"].text() != "process") continue;
    EXPECT_GT(observer["kernel_us"].number(), 0);
    EXPECT_GT(observer["user_us"].number(), 0);
    EXPECT_GT(observer["ring_bytes"].number(), 0);
  }
  EXPECT_GE(cost["observers"].items().size(), 1u);
  EXPECT_GE(cost["threads"].items().size(), 2u);
}

TEST_P(NodeOnKernel, nothing_is_left_in_the_kernel) {
  const auto programs = [] {
    std::set<std::uint32_t> ids;
    for (std::uint32_t id = 0; !bpf_prog_get_next_id(id, &id);) ids.insert(id);
    return ids;
  };
  const auto before = programs();  // those of a test before this may still go
  const auto ours = [&] {
    auto now = programs();
    std::erase_if(now, [&](std::uint32_t id) { return before.contains(id); });
    return now;
  };
  start();
  EXPECT_THAT(ours(), testing::Not(testing::IsEmpty()));
  node.reset();
  for (int i = 0; i < 1000 && !ours().empty(); ++i) ::usleep(10'000);  // the kernel frees late
  EXPECT_THAT(ours(), testing::IsEmpty());
}

TEST_P(NodeOnKernel, answers_on_its_socket_and_refuses_a_second_agent_with_the_pid) {
  const auto socket = "/tmp/tapio-node-test-" + std::to_string(::getpid()) + ".sock";
  start(socket);
  std::jthread runner(
      [this](const std::stop_token& stop) { node->run([&] { return stop.stop_requested(); }); });
  const auto status = serve::ask(socket, {.command = serve::Command::status});
  EXPECT_TRUE(status) << status.error().what;
  EXPECT_THAT(*status, testing::HasSubstr("\"observers\""));
  auto second = Node::start({.configuration = configuration_, .socket = socket});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, testing::HasSubstr(std::to_string(::getpid())));
  runner.request_stop();
  runner.join();
  node.reset();
  EXPECT_NE(::access(socket.c_str(), F_OK), 0) << "the socket is left behind";
}

}  // namespace
}  // namespace tapio::agent
