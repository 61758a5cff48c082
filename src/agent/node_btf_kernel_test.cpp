// SPDX-License-Identifier: Apache-2.0
// The agent where the kernel shows no type information (BTF): each test runs in a child whose mount
// namespace hides it, on any kernel that has it.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "rig.hpp"
#include "scenarios/memory_cgroup.hpp"
#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* kOwnBtf = "/sys/kernel/btf";
constexpr std::uint64_t kMiB = 1 << 20, kLimit = 32 * kMiB, kStep = kMiB / 2;
constexpr std::string_view kCgroup = "tapio-nobtf";
constexpr auto kPatience = 60s;  // an emulated machine is slow

// What came out, as a consumer has it.
class Kept final : public Sink {
 public:
  struct Seen {
    std::multimap<std::uint32_t, std::string> names;  // of records, by pid
    std::map<std::uint32_t, std::string> executables;
    std::map<std::uint32_t, std::uint64_t> parents;
    std::atomic<bool> any_limit_of_ours = false;  // to be read while it runs
    std::set<std::string> limits_of;              // paths of cgroups whose limit was changed
    std::vector<std::string> stories;
    std::vector<std::string> missing;  // what stories say about their sources
  };
  explicit Kept(Seen& seen) : seen_(seen) {}

  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      const auto pid = record.origin.pid;
      seen_.names.emplace(pid, record.schema->name);
      if (record.schema->name == "process.exec") {
        seen_.executables[pid] = field<std::string_view>(record, "process.executable.path");
        seen_.parents[pid] = field<std::uint64_t>(record, "process.parent_pid");
      }
      if (record.schema->name == "container.limit.changed") {
        const auto path = field<std::string_view>(record, "tapio.cgroup.path");
        seen_.limits_of.emplace(path);
        if (path.find(kCgroup) != path.npos) seen_.any_limit_of_ours = true;
      }
      if (record.schema->kind == Kind::story) keep_story(record);
    }
    return {};
  }

 private:
  void keep_story(const Record& record) {
    seen_.stories.emplace_back(field<std::string_view>(record, "title"));
    for (const auto what : field<std::span<const std::string_view>>(record, "missing"))
      seen_.missing.emplace_back(what);
  }
  Seen& seen_;
};

bool hide_btf() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", kOwnBtf, "tmpfs", 0, nullptr) == 0;
}

class NodeWithoutBtf : public OnEveryPath {
 protected:
  void SetUp() override {
    OnEveryPath::SetUp();
    if (IsSkipped()) return;
    for (const auto& image : capture::btf_places().disk)
      if (::access(image.c_str(), F_OK) == 0) GTEST_SKIP() << image << " would be taken instead";
    ASSERT_TRUE(std::ifstream(std::string(kOwnBtf) + "/vmlinux").good()) << "a kernel without BTF";
  }
  // As a user has it from a machine that runs the same kernel.
  void copy_btf() {
    std::ofstream(copy_, std::ios::binary)
        << std::ifstream(std::string(kOwnBtf) + "/vmlinux", std::ios::binary).rdbuf();
  }
  void TearDown() override {
    std::filesystem::remove(copy_);
    OnEveryPath::TearDown();
  }
  // What fails in the child is printed there.
  static void run_hidden(const std::function<void()>& test) {
    std::fflush(stdout);
    const int status = wait_for(child([&] {
      if (!hide_btf()) return 2;
      test();
      std::fflush(stdout);
      return HasFailure() ? 1 : 0;
    }));
    ASSERT_TRUE(WIFEXITED(status)) << status;
    ASSERT_NE(WEXITSTATUS(status), 2) << "no mount namespace can be made";
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  void set(std::string_view section, std::string_view setting, const std::string& value) {
    const std::vector<std::string> values{value};
    Rig::must(configuration_.at(section).set(setting, values));
  }
  void start() {
    NodeOptions options{.configuration = configuration_,
                        .socket = "",
                        .configured_sinks = false,
                        .canary_song = {"/bin/sh", "-c", "kill -9 $$"}};
    options.sinks.emplace_back("kept", std::make_unique<Kept>(seen));
    node = Rig::must(Node::start(std::move(options)));
  }
  void run_for(std::chrono::nanoseconds time) {
    const auto end = monotonic_now() + time;
    node->run([&] { return monotonic_now() > end; });
  }
  Node::ObserverState state_of(std::string_view observer) {
    for (const auto& state : node->observer_states())
      if (state.name == observer) return state;
    return {};
  }
  std::string btf_from() {
    return std::string(Rig::must(serve::parse_json(node->status_json()))["btf"]["from"].text());
  }
  void expect_only_what_needs_no_program() {
    EXPECT_EQ(state_of("process").state, "unsupported");
    EXPECT_THAT(state_of("process").reason, HasSubstr("set btf.path"));
    EXPECT_EQ(state_of("container").state, "on");
    EXPECT_THAT(state_of("container").reason, HasSubstr("without events"));
    EXPECT_EQ(state_of("kmsg").state, "on");
    EXPECT_TRUE(node->any_observer_on());
    EXPECT_EQ(btf_from(), "nowhere");
    for (const auto& hook : node->hooks()) EXPECT_EQ(hook.program, "") << hook.hook;
  }

  config::Tree configuration_ = configuration();
  Kept::Seen seen;  // of the sink's thread until node->finish()
  std::unique_ptr<Node> node;
  const std::string copy_ = testing::TempDir() + "/tapio-btf-" + std::to_string(::getpid());
};
INSTANTIATE_TEST_SUITE_P(Paths, NodeWithoutBtf, testing::Values(""), path_name);

TEST_P(NodeWithoutBtf, a_file_in_its_place_serves_raw_tracepoints_with_real_events) {
  copy_btf();
  set("btf", "path", copy_);
  run_hidden([&] {
    start();
    EXPECT_EQ(btf_from(), "setting");
    EXPECT_EQ(state_of("process").state, "on");
    for (const auto& hook : node->hooks())
      if (!hook.program.empty()) {
        EXPECT_FALSE(hook.program.ends_with("_btf") || hook.program.ends_with("_fentry"))
            << hook.program;
      }
    const pid_t victim = child([] {
      ::execl("/bin/sh", "sh", "-c", "kill -STOP $$; :", nullptr);
      return 127;
    });
    run_for(500ms);
    const pid_t killer = child([&] { return ::kill(victim, SIGKILL); });
    wait_for(killer);
    wait_for(victim);
    run_for(2s);
    node->finish();
    EXPECT_EQ(Rig::must(serve::parse_json(node->status_json()))["ledger"]["residue"].integer(), 0);

    const auto pid = static_cast<std::uint32_t>(victim);
    EXPECT_EQ(seen.executables[pid], std::filesystem::canonical("/bin/sh"));
    EXPECT_EQ(seen.parents[pid], static_cast<std::uint64_t>(::getpid()));
    for (const char* name : {"process.exec", "process.death", "process.exit"})
      EXPECT_THAT(seen.names, Contains(testing::Pair(pid, name)));
    const auto died = fmt::format("(pid {}) was killed with SIGKILL by ", victim);
    EXPECT_THAT(seen.stories, Contains(testing::AllOf(HasSubstr(died),
                                                      HasSubstr(fmt::format("(pid {})", killer)))));
  });
}

TEST_P(NodeWithoutBtf, without_any_what_needs_no_program_goes_on_and_stories_know_it) {
  set("observers.container", "limits_interval", "1s");
  run_hidden([&] {
    start();
    expect_only_what_needs_no_program();
    // Made after the start: no event tells of it.
    const auto cgroup = Rig::must(MemoryCgroup::make(kCgroup));
    const auto end = monotonic_now() + kPatience;
    for (auto limit = 2 * kLimit; !seen.any_limit_of_ours && monotonic_now() < end;
         limit -= kStep) {
      Rig::must(cgroup.limit(limit));
      run_for(1500ms);
    }
    const pid_t hog = child([&] {
      if (!cgroup.join()) return 1;
      take_memory(4 * kLimit, kMiB, 0ms);
      return 0;
    });
    const int status = wait_for(hog);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    run_for(5s);
    node->finish();

    EXPECT_THAT(seen.limits_of, Contains(cgroup.path()));
    EXPECT_THAT(seen.names, Contains(testing::Pair(hog, "kernel.oom.report")));
    EXPECT_THAT(seen.stories, Contains(HasSubstr(fmt::format("(pid {})", hog))));
    EXPECT_THAT(seen.missing, Contains(HasSubstr("nothing of the observer process is known")));
  });
}

TEST_P(NodeWithoutBtf, a_file_that_is_none_is_named_and_stops_nothing) {
  std::ofstream(copy_) << "MZ";
  set("btf", "path", copy_);
  run_hidden([&] {
    start();
    expect_only_what_needs_no_program();
    EXPECT_THAT(node->btf().trouble, HasSubstr("btf.path: " + copy_));
    node->finish();
  });
}

}  // namespace
}  // namespace tapio::agent
