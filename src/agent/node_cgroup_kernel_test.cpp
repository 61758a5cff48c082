// SPDX-License-Identifier: Apache-2.0
// The whole way: a process in a real cgroup that is called like a container's has that container in
// its records, however the agent came to know of the cgroup.
#include <gtest/gtest.h>

#include <sched.h>

#include <map>
#include <set>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "rig.hpp"
#include "test_cgroup.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kId = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";
const std::string kDocker = "/docker/" + std::string(kId);

// Where the records of each process say that it is.
class Places final : public Sink {
 public:
  struct Seen {
    std::map<std::uint32_t, std::vector<std::string>> containers;  // by pid: "record runtime id"
    std::set<std::string> removed;   // paths of cgroups whose end was told
    std::vector<std::string> left;   // ways out of a container, "mount_namespace"
    std::vector<std::string> lives;  // of containers, "container.started"
  };
  explicit Places(Seen& seen) : seen_(seen) {}

  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      const Place place = record.context ? record.context->place : Place{};
      seen_.containers[record.origin.pid].push_back(std::string(record.schema->name) + " " +
                                                    std::string(place.container_runtime) + " " +
                                                    std::string(place.container_id));
      if (record.schema->name == "container.cgroup.removed")
        seen_.removed.emplace(std::get<std::string_view>(record.values.at(8)));
      if (record.schema->name == "container.left")
        seen_.left.emplace_back(text_of(record, "container.left.way"));
      if (place.container_id == kId && record.schema->name.starts_with("container.") &&
          record.schema->kind == Kind::event && record.schema->name != "container.process.moved")
        seen_.lives.emplace_back(record.schema->name);
    }
    return {};
  }

 private:
  Seen& seen_;
};

class CgroupsOfNode : public OnEveryPath {
 protected:
  void start() {
    NodeOptions options{.configuration = configuration_, .socket = "", .configured_sinks = false};
    options.sinks.emplace_back("places", std::make_unique<Places>(seen));
    node = Rig::must(Node::start(std::move(options)));
  }
  void switch_off(std::string_view observer) {
    const std::vector<std::string> values{"false"};
    Rig::must(configuration_.at("observers." + std::string(observer)).set("enabled", values));
  }
  void run_for(std::chrono::nanoseconds time) {
    const auto end = monotonic_now() + time;
    node->run([&] { return monotonic_now() > end; });
  }
  // Goes there, and executes twice, a moment apart.
  pid_t visit(const TestCgroup& cgroup) {
    return child([&] {
      cgroup.enter();
      ::execl("/bin/sh", "sh", "-c", "sleep 0.4; exec /bin/sh -c :", nullptr);
      return 127;
    });
  }
  std::size_t count(pid_t pid, const std::string& line) {
    return static_cast<std::size_t>(
        std::ranges::count(seen.containers[static_cast<std::uint32_t>(pid)], line));
  }

  config::Tree configuration_ = configuration();
  Places::Seen seen;  // of the sink's thread until node->finish()
  std::unique_ptr<Node> node;
  const std::string in_docker = "docker " + std::string(kId);
};
INSTANTIATE_TEST_SUITE_P(Paths, CgroupsOfNode, kEveryPath, path_name);

TEST_P(CgroupsOfNode, a_container_that_begins_is_named_from_its_first_exec_to_its_exit) {
  start();
  run_for(300ms);
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t maker = child([&] {  // not by the agent itself: its own doings are no events
    const TestCgroup cgroup(kDocker);
    const pid_t inside = visit(cgroup);
    const bool said = ::write(told[1], &inside, sizeof inside) == sizeof inside;
    wait_for(inside);
    return said ? 0 : 1;
  });
  run_for(1s);
  wait_for(maker);
  run_for(300ms);
  node->finish();
  pid_t pid = 0;
  ASSERT_EQ(::read(told[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::close(told[0]), ::close(told[1]);
  EXPECT_EQ(count(pid, "process.exec " + in_docker), 2u)
      << testing::PrintToString(seen.containers[static_cast<std::uint32_t>(pid)]);
  EXPECT_EQ(count(pid, "process.exit " + in_docker), 1u);
  EXPECT_TRUE(seen.removed.contains("/tapio-test-" + std::to_string(maker) + kDocker));
}

// As a runtime does it: a process that goes into the cgroup and new namespaces, and a first child
// that executes. That one then goes to the host's mounts, which kthreadd has, by nsenter(1).
TEST_P(CgroupsOfNode, a_container_lives_and_who_enters_the_mounts_of_the_host_got_out) {
  start();
  run_for(300ms);
  const pid_t maker = child([&] {
    const TestCgroup cgroup(kDocker);
    const pid_t runtime = child([&] {
      cgroup.enter();
      if (::unshare(CLONE_NEWNS | CLONE_NEWPID)) return 1;
      const pid_t main = child([] {
        ::execl("/bin/sh", "sh", "-c",
                "sleep 0.2; nsenter --mount=/proc/2/ns/mnt /bin/true; sleep 0.2; exit 3", nullptr);
        return 127;
      });
      return WEXITSTATUS(wait_for(main)) == 3 ? 0 : 1;
    });
    return WEXITSTATUS(wait_for(runtime));
  });
  run_for(1500ms);
  ASSERT_EQ(WEXITSTATUS(wait_for(maker)), 0);
  run_for(300ms);
  node->finish();
  EXPECT_EQ(seen.left, std::vector<std::string>{"mount_namespace"});
  EXPECT_EQ(seen.lives, (std::vector<std::string>{"container.created", "container.started",
                                                  "container.died", "container.removed"}));
}

TEST_P(CgroupsOfNode, a_container_that_was_there_before_is_named) {
  TestCgroup cgroup(kDocker);
  start();
  run_for(300ms);
  const pid_t pid = visit(cgroup);
  run_for(1s);
  wait_for(pid);
  run_for(300ms);
  node->finish();
  EXPECT_EQ(count(pid, "process.exec " + in_docker), 2u);
  EXPECT_EQ(count(pid, "process.exit " + in_docker), 1u);
}

TEST_P(CgroupsOfNode, without_events_a_container_is_found_by_a_process_in_it) {
  switch_off("container");
  start();
  run_for(300ms);
  TestCgroup cgroup(kDocker);
  const pid_t pid = visit(cgroup);
  run_for(1s);
  wait_for(pid);
  run_for(300ms);
  node->finish();
  EXPECT_GE(count(pid, "process.exec " + in_docker), 1u) << "the second exec at the latest";
  EXPECT_EQ(count(pid, "process.exit " + in_docker), 1u);
}

}  // namespace
}  // namespace tapio::agent
