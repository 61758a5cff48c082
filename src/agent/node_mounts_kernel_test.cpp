// SPDX-License-Identifier: Apache-2.0
// File systems that the agent reads are missing when it starts, or go and come back while it runs.
// Each test has mounts of its own, in a child.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <map>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "rig.hpp"
#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;

class Counting final : public Sink {
 public:
  using Seen = std::map<std::string, std::uint64_t, std::less<>>;  // records by name
  explicit Counting(Seen& seen) : seen_(seen) {}
  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) seen_[std::string(record.schema->name)]++;
    return {};
  }

 private:
  Seen& seen_;
};

// An agent in the child: no assertion may be used there, so what is wrong is put in words.
class Agent {
 public:
  Agent() {
    NodeOptions options{.configuration = configuration_, .socket = "", .configured_sinks = false};
    options.sinks.emplace_back("counting", std::make_unique<Counting>(seen_));
    if (auto started = Node::start(std::move(options)))
      node_ = std::move(*started);
    else
      wrong_ = "it does not start: " + started.error().what;
  }

  void run_for(std::chrono::nanoseconds time) {
    const auto end = monotonic_now() + time;
    if (node_) node_->run([&] { return monotonic_now() > end; });
  }
  serve::Json status() {
    auto json = node_ ? serve::parse_json(node_->status_json()) : serve::Json{};
    return json ? std::move(*json) : serve::Json{};
  }
  // A look at /proc and the cgroups takes place every 2 s while they are missing.
  void run_until_seeded() {
    for (int i = 0; i < 100 && !status()["start"]["seeded"].truth(); ++i) run_for(100ms);
  }
  void expect(bool holds, std::string_view what) {
    if (!holds && wrong_.empty()) wrong_ = what;
  }
  // Events come through, and the books are right.
  void expect_events() {
    const auto before = executed();
    constexpr int kProcesses = 20;
    for (int i = 0; i < kProcesses; ++i)
      wait_for(child([] { return ::execl("/bin/true", "true", nullptr); }));
    run_for(1200ms);
    expect(executed() >= before + kProcesses, "events of 20 processes do not come");
    expect(status()["ledger"]["residue"].integer() == 0, "there is a residue");
  }
  std::uint64_t executed() {
    const auto now = status();
    for (const auto& row : now["ledger"]["rows"].items())
      if (row["hook"].text() == "exec") return row["read"].count();
    return 0;
  }
  bool misses(std::string_view what) {
    const auto now = status();
    return std::ranges::any_of(now["start"]["missing"].items(), [&](const serve::Json& sentence) {
      return sentence.text().contains(what);
    });
  }
  std::size_t programs() {
    std::size_t count = 0;
    const auto now = status();
    for (const auto& hook : now["hooks"].items()) count += !hook["program"].text().empty();
    return count;
  }
  std::string verdict() {
    if (node_) node_->finish();
    return wrong_.empty() ? "fine" : wrong_;
  }

 private:
  config::Tree configuration_ = configuration();
  Counting::Seen seen_;
  std::unique_ptr<Node> node_;
  std::string wrong_;
};

void hide(const std::string& path) {
  ::mount("tapio-test", path.c_str(), "tmpfs", 0, nullptr);
}
void show(const std::string& path) {
  ::umount2(path.c_str(), MNT_DETACH);
}

std::string in_own_mounts(const std::function<std::string()>& body) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return "no pipe";
  const pid_t pid = child([&] {
    const bool own = ::unshare(CLONE_NEWNS) == 0 &&
                     ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    const std::string said = own ? body() : "skip";
    return ::write(pipe[1], said.data(), said.size()) > 0 ? 0 : 1;
  });
  ::close(pipe[1]);
  std::string said(1024, '\0');
  const auto got = ::read(pipe[0], said.data(), said.size());
  ::close(pipe[0]);
  const int status = wait_for(pid);
  if (status != 0) return "it ended with the status " + std::to_string(status);
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return said;
}

class Mounts : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
  }
  static void expect_fine(const std::function<std::string()>& body) {
    const auto said = in_own_mounts(body);
    if (said == "skip") GTEST_SKIP() << "no mounts of its own here";
    EXPECT_EQ(said, "fine");
  }
};

TEST_F(Mounts, without_proc_it_starts_and_sees_who_was_there_when_it_is_back) {
  expect_fine([] {
    hide("/proc");
    Agent agent;
    agent.expect_events();
    agent.expect(agent.misses("/proc"), "it does not say that /proc is missing");
    agent.expect(!agent.status()["start"]["seeded"].truth(), "it believes to know everybody");
    show("/proc");
    for (int i = 0; i < 100 && agent.misses("/proc"); ++i) agent.run_for(100ms);
    agent.expect(!agent.misses("/proc"), "/proc is back and not looked at");
    agent.expect_events();
    return agent.verdict();
  });
}

TEST_F(Mounts, without_cgroups_it_starts_and_walks_over_them_when_they_are_back) {
  const auto mount = capture::find_hierarchy(capture::find_btf("")).mount;
  if (mount.empty()) GTEST_SKIP() << "no cgroup file system is mounted";
  expect_fine([&] {
    hide(mount);
    Agent agent;
    agent.expect_events();
    agent.expect(agent.misses("cgroup"), "it does not say that cgroups are missing");
    agent.expect(!agent.status()["start"]["seeded"].truth(), "it believes to know all cgroups");
    const auto before = agent.status()["cgroups"]["live"].count();
    show(mount);
    agent.run_until_seeded();
    agent.expect(agent.status()["start"]["seeded"].truth(), "cgroups are back and not looked at");
    agent.expect(agent.status()["cgroups"]["live"].count() > before, "no cgroup is known");
    return agent.verdict();
  });
}

TEST_F(Mounts, proc_and_cgroups_may_go_and_come_back_while_it_runs) {
  const auto mount = capture::find_hierarchy(capture::find_btf("")).mount;
  expect_fine([&] {
    Agent agent;
    agent.run_until_seeded();
    agent.expect_events();
    hide("/proc");
    if (!mount.empty()) hide(mount);
    agent.expect_events();
    if (!mount.empty()) show(mount);
    show("/proc");
    agent.expect_events();
    agent.expect(agent.status()["start"]["seeded"].truth(), "it has forgotten who was there");
    return agent.verdict();
  });
}

TEST_F(Mounts, tracefs_is_not_needed) {
  expect_fine([] {
    const auto with = Agent().programs();
    for (const char* path : {"/sys/kernel/tracing", "/sys/kernel/debug"}) hide(path);
    Agent agent;
    agent.expect(with > 0 && agent.programs() == with, "there are fewer programs than with it");
    agent.expect_events();
    return agent.verdict();
  });
}

}  // namespace
}  // namespace tapio::agent
