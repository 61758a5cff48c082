// SPDX-License-Identifier: Apache-2.0
// The agent on a machine as it is in production: systemd as PID 1, cgroup v2 alone, a kernel that
// refuses nothing. tests/matrix/boot --system makes one.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "capture/kernel.hpp"
#include "rig.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

// What is still to be told after systemd knows that a process is gone.
constexpr auto kSettling = 5s;
// Everything is emulated, and other machines may run beside this one.
constexpr auto kPatience = 240s;

// A record whose batch is gone.
struct Row {
  std::string name;
  std::uint32_t pid;
  std::uint64_t cgroup_id;
  std::map<std::string, std::string, std::less<>> fields;  // texts and whole numbers
};

std::string printed(const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
  return "";
}

class Keeping final : public Sink {
 public:
  explicit Keeping(std::vector<Row>& rows) : rows_(rows) {}
  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      Row row{std::string(record.schema->name), record.origin.pid, record.origin.cgroup_id, {}};
      for (std::size_t i = 0; i < record.schema->fields.size(); ++i)
        row.fields.emplace(record.schema->fields[i].name, printed(record.values.at(i)));
      rows_.push_back(std::move(row));
    }
    return {};
  }

 private:
  std::vector<Row>& rows_;
};

std::string first_line(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line;
}

class NodeOnSystem : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::getenv("TAPIO_SYSTEM"))
      GTEST_SKIP() << "needs a machine with systemd of its own: tests/matrix/boot KERNEL --system";
    ASSERT_EQ(first_line("/proc/1/comm"), "systemd");
    ASSERT_EQ(capture::find_hierarchy(capture::find_btf("")).name, "v2");
    ASSERT_THAT(first_line("/sys/fs/cgroup/cgroup.subtree_control"),
                AllOf(HasSubstr("cpu"), HasSubstr("io"), HasSubstr("memory"), HasSubstr("pids")));
    ASSERT_TRUE(::mkdtemp(directory_.data()));
  }
  void start() {
    NodeOptions options{.configuration = configuration_,
                        .socket = "",
                        .configured_sinks = false,
                        .canary_song = {"/bin/sh", "-c", "kill -9 $$"}};
    options.sinks.emplace_back("keeping", std::make_unique<Keeping>(rows));
    node = Rig::must(Node::start(std::move(options)));
  }
  // Runs a shell script, the agent meanwhile; what it exited with.
  int run(const std::string& script) {
    const pid_t shell = child([&] {
      ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
      return 127;
    });
    int status = -1;
    const auto end = monotonic_now() + kPatience;
    node->run([&] { return ::waitpid(shell, &status, WNOHANG) == shell || monotonic_now() > end; });
    const auto settled = monotonic_now() + kSettling;
    node->run([&] { return monotonic_now() > settled; });
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // A program for a service: it first writes its pid and the inode of its cgroup's directory. In a
  // file, because systemd has a meaning of its own for the dollars of a command line.
  [[nodiscard]] std::string service(const std::string& script) const {
    std::ofstream(directory_ + "/service")
        << "echo $$ $(stat -c %i /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)) >>" << directory_
        << "/identities\n"
        << script << "\n";
    return "sh " + directory_ + "/service";
  }
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t> identities() const {
    std::map<std::uint32_t, std::uint64_t> found;
    std::ifstream in(directory_ + "/identities");
    std::uint32_t pid = 0;
    for (std::uint64_t inode = 0; in >> pid >> inode;) found.emplace(pid, inode);
    return found;
  }
  std::vector<Row> of(std::string_view name, std::uint32_t pid) {
    std::vector<Row> found;
    std::ranges::copy_if(rows, std::back_inserter(found),
                         [&](const Row& row) { return row.name == name && row.pid == pid; });
    return found;
  }

  std::string directory_ = "/var/tmp/tapio-system-XXXXXX";
  config::Tree configuration_ = configuration();
  std::vector<Row> rows;  // of the sink's thread until node->finish()
  std::unique_ptr<Node> node;
};

TEST_F(NodeOnSystem, the_oom_killers_victim_in_a_service_is_seen_to_die_by_the_kernels_hand) {
  start();
  const auto verdict = directory_ + "/verdict";
  const int code =
      run("systemd-run --quiet --wait --unit=tapio-greedy -p MemoryMax=48M "
          "-p MemorySwapMax=0 " +
          service("exec tail /dev/zero") + "; systemctl show -P Result tapio-greedy >" + verdict +
          "; systemctl reset-failed tapio-greedy");
  node->finish();
  ASSERT_EQ(code, 0);
  ASSERT_EQ(first_line(verdict), "oom-kill") << "what systemd itself says";
  ASSERT_EQ(identities().size(), 1u);
  const auto [victim, cgroup] = *identities().begin();

  const auto deaths = of("process.death", victim);
  ASSERT_EQ(deaths.size(), 1u);
  EXPECT_EQ(deaths[0].fields.at("process.executable.name"), "tail");
  EXPECT_EQ(deaths[0].fields.at("process.exit.signal.name"), "SIGKILL");
  EXPECT_EQ(deaths[0].cgroup_id, cgroup);

  const auto lethal = std::ranges::find_if(rows, [&](const Row& row) {
    return row.name == "process.signal" &&
           row.fields.at("signal.target.pid") == std::to_string(victim) &&
           row.fields.at("signal.name") == "SIGKILL";
  });
  ASSERT_NE(lethal, rows.end());
  EXPECT_EQ(lethal->pid, 0u) << "no process sent it";
  EXPECT_EQ(lethal->fields.at("signal.class"), "kernel");
  EXPECT_EQ(lethal->fields.at("signal.target.cgroup.id"), std::to_string(cgroup));
}

TEST_F(NodeOnSystem, each_life_of_a_unit_that_is_restarted_ends_as_a_child_of_pid_1_in_its_cgroup) {
  constexpr std::size_t kLives = 4;  // one, and three restarts
  start();
  const int code =
      run("systemd-run --quiet --unit=tapio-failing -p Restart=on-failure "
          "-p RestartSec=100ms -p StartLimitIntervalSec=1h -p StartLimitBurst=" +
          std::to_string(kLives) + " " + service("exit 3") +
          "; until systemctl is-failed -q tapio-failing; do sleep 0.2; done"
          "; systemctl reset-failed tapio-failing");
  node->finish();
  ASSERT_EQ(code, 0);
  ASSERT_EQ(identities().size(), kLives);
  for (const auto& [pid, cgroup] : identities()) {
    const auto exits = of("process.exit", pid);
    ASSERT_EQ(exits.size(), 1u) << pid;
    EXPECT_EQ(exits[0].fields.at("process.exit.code"), "3");
    EXPECT_EQ(exits[0].fields.at("process.parent_pid"), "1");
    EXPECT_EQ(exits[0].cgroup_id, cgroup);
  }
}

// A hook may be missing where the kernel lacks what each of its programs needs. A program that was
// refused though all is there, and one that does not fire, are bugs of ours.
TEST_F(NodeOnSystem, every_hook_proves_itself_or_names_what_the_kernel_lacks) {
  start();
  for (const auto& hook : node->hooks()) {
    const bool fires = hook.canary == "seen" || hook.canary.starts_with("passive");
    const bool lacks = hook.canary.starts_with("unsupported: ") &&
                       hook.canary.find(" was refused: ") == std::string::npos;
    EXPECT_TRUE(fires || lacks) << hook.observer << "." << hook.hook << " (" << hook.program
                                << "): " << hook.canary;
    if (lacks) std::printf("    %s: %s\n", hook.hook.c_str(), hook.canary.c_str());
  }
  for (const auto& observer : node->observer_states())
    EXPECT_THAT(observer.state, testing::AnyOf("on", "provider", "off"))
        << observer.name << ": " << observer.reason;
  node->finish();
}

}  // namespace
}  // namespace tapio::agent
