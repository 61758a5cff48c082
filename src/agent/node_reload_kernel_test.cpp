// SPDX-License-Identifier: Apache-2.0
// A configuration that comes while the agent runs, on the live kernel: it holds, and no event is
// lost for it.
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <thread>

#include "agent/commands.hpp"
#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "cli/cli.hpp"
#include "rig.hpp"
#include "serve/client.hpp"
#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Others on this machine may test too: a signal that is hardly theirs.
const int kHarmless = SIGRTMIN + 10 + static_cast<int>(::getpid() % 15);

// What a storm has done, as it says itself; in memory that it shares with the test.
struct Done {
  std::atomic<std::uint64_t> signals = 0, execs = 0;
  std::atomic<bool> enough = false;
};

class Shared {
 public:
  Shared()
      : memory_(::mmap(nullptr, sizeof(Done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)),
        done_(new(memory_) Done) {}
  ~Shared() { ::munmap(memory_, sizeof(Done)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  Done* operator->() const { return done_; }

 private:
  void* memory_;
  Done* done_;
};

// Counts what comes out, as a consumer would.
class Counting final : public Sink {
 public:
  struct Seen {
    std::map<std::string, std::uint64_t, std::less<>> records;   // by name
    std::map<std::string, std::uint64_t, std::less<>> executed;  // by name of the process
    std::map<std::string, std::uint64_t, std::less<>> gaps;      // "class stage reason"
    std::vector<std::string> changes;
  };
  explicit Counting(Seen& seen) : seen_(seen) {}

  Status write(const Batch& batch) override {
    for (const Record& record : batch.records) {
      seen_.records[std::string(record.schema->name)]++;
      if (record.schema->name == "process.exec")
        seen_.executed[std::string(field<std::string_view>(record, "process.executable.name"))]++;
      if (record.schema->kind == Kind::gap)
        seen_.gaps[std::string(field<std::string_view>(record, "class")) + " " +
                   std::string(field<std::string_view>(record, "stage")) + " " +
                   std::string(field<std::string_view>(record, "reason"))] +=
            field<std::uint64_t>(record, "count");
      if (record.schema == &kConfigurationChanged)
        for (const auto line :
             field<std::span<const std::string_view>>(record, "tapio.configuration.changes"))
          seen_.changes.emplace_back(line);
    }
    return {};
  }

 private:
  Seen& seen_;
};

// Signals itself and runs a program, in small breaths, until it is enough.
int storm(const Shared& done, const std::string& program) {
  ::signal(kHarmless, SIG_IGN);
  while (!done->enough) {
    for (int i = 0; i < 200; ++i) ::kill(::getpid(), kHarmless);
    done->signals += 200;
    const pid_t pid = ::fork();
    if (pid == 0) ::execl(program.c_str(), program.c_str(), nullptr), ::_exit(127);
    ::waitpid(pid, nullptr, 0);
    done->execs += 1;
    ::usleep(1000);
  }
  return 0;
}

class Reloads : public OnEveryPath {
 protected:
  void SetUp() override {
    OnEveryPath::SetUp();
    log::configure(log::Level::error, log::Format::text);
    std::string name = testing::TempDir() + "tapio-reload-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    set("observers.process", "signals", std::to_string(kHarmless));
    set("observers.process", "deliveries", "false");
    set("observers.process", "ring", "16MiB");
    set("observers.process", "rate_per_second", "0");
    set("observers.process", "lifecycle_rate_per_second", "0");
    set("observers.container", "enabled", "false");  // cgroups of others would be in the sums
  }
  void TearDown() override {
    node_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
    log::configure(log::Level::info, log::Format::text);
    OnEveryPath::TearDown();
  }
  void set(std::string_view section, std::string_view setting, const std::string& value) {
    const std::vector<std::string> values{value};
    Rig::must(configuration_.at(section).set(setting, values));
  }
  void start() {
    NodeOptions options{.configuration = configuration_,
                        .socket = "",
                        .configured_sinks = false,
                        .file = "test.yaml",
                        .reread = [this]() -> std::expected<cli::Configured, Wrong> {
                          if (!wrong_.empty()) return std::unexpected(wrong_);
                          return cli::Configured{configuration_.clone(), "test.yaml"};
                        }};
    options.sinks.emplace_back("counting", std::make_unique<Counting>(seen_));
    node_ = Rig::must(Node::start(std::move(options)));
  }
  std::uint64_t gaps(std::string_view begins) const {
    std::uint64_t sum = 0;
    for (const auto& [what, count] : seen_.gaps)
      if (what.starts_with(begins)) sum += count;
    return sum;
  }
  // One that nobody else runs.
  std::string own_program() {
    const auto program = directory_ / ("re" + std::to_string(::getpid()));
    std::filesystem::create_symlink("/bin/true", program);
    return program;
  }

  using Wrong = std::vector<std::string>;
  std::filesystem::path directory_;
  config::Tree configuration_ = configuration();
  Wrong wrong_;
  Counting::Seen seen_;  // of the sink's thread until node_->finish()
  std::unique_ptr<Node> node_;
};
// What a reload writes to is the same for typed and raw programs.
INSTANTIATE_TEST_SUITE_P(Paths, Reloads, testing::Values("", "ringbuf"), path_name);

TEST_P(Reloads, of_20_in_a_storm_none_loses_an_event) {
  start();
  const Shared done;
  const std::string program = own_program();
  const pid_t storming = child([&] { return storm(done, program); });
  std::jthread operating([&] {
    for (int i = 1; i <= 20; ++i) {
      std::this_thread::sleep_for(50ms);
      const bool odd = i % 2 == 1;
      set("observers.process", "rate_per_second", odd ? "1000000" : "0");
      set("observers.process", "lifecycle_rate_per_second", odd ? "1000000" : "0");
      set("observers.process", "detect.storm.signals", std::to_string(900'000 + i));
      set("redact", "names", odd ? "password" : "token");
      const auto reload = node_->reload();
      EXPECT_FALSE(reload.kept);
      EXPECT_EQ(reload.changed.size(), 4u);
    }
    std::this_thread::sleep_for(50ms);
    done->enough = true;
  });
  const auto end = monotonic_now() + 60s;
  node_->run(
      [&] { return ::waitpid(storming, nullptr, WNOHANG) == storming || monotonic_now() > end; });
  operating.join();
  node_->finish();
  const auto status = Rig::must(serve::parse_json(node_->status_json()));
  const auto name = std::filesystem::path(program).filename().string();
  std::printf("    20 reloads: signals %lu = records %lu + gaps %lu; execs %lu = records %lu\n",
              done->signals.load(), seen_.records["process.signal"], gaps("normal"),
              done->execs.load(), seen_.executed[name]);
  EXPECT_EQ(status["ledger"]["residue"].integer(), 0);
  EXPECT_EQ(seen_.records["process.signal"], done->signals.load());
  EXPECT_EQ(seen_.executed[name], done->execs.load());
  EXPECT_EQ(gaps("normal"), 0u);
  EXPECT_EQ(gaps("state"), 0u);
  EXPECT_EQ(seen_.records["tapio.configuration.changed"], 20u);
  EXPECT_THAT(seen_.changes, testing::Contains("observers.process.rate_per_second: 0 -> 1000000"));
}

TEST_P(Reloads, change_the_rates_of_programs_that_run) {
  constexpr std::uint64_t kEach = 3000;
  start();
  const auto send = [&] {
    const pid_t sender = child([] {
      ::signal(kHarmless, SIG_IGN);
      for (std::uint64_t i = 0; i < kEach; ++i) ::kill(::getpid(), kHarmless);
      return 0;
    });
    node_->run([&] { return ::waitpid(sender, nullptr, WNOHANG) == sender; });
  };
  send();
  set("observers.process", "rate_per_second", "100");
  EXPECT_EQ(node_->reload().changed.size(), 1u);
  send();
  set("observers.process", "rate_per_second", "0");
  EXPECT_EQ(node_->reload().changed.size(), 1u);
  send();
  set("observers.process", "keep_one_in", "1000000");
  EXPECT_EQ(node_->reload().changed.size(), 1u);
  send();
  node_->finish();
  const auto refused = seen_.gaps["normal kernel rate_limited"];
  const auto sampled_out = seen_.gaps["normal kernel sampled_out"];
  EXPECT_EQ(seen_.records["process.signal"] + refused + sampled_out, 4 * kEach);
  EXPECT_GT(refused, kEach / 2) << "of the second round";
  EXPECT_LT(refused, kEach);
  EXPECT_GT(sampled_out, kEach - 10) << "of the fourth round";
  EXPECT_LE(sampled_out, kEach);
}

TEST_P(Reloads, of_a_bad_file_keep_everything_as_it_was) {
  start();
  wrong_ = {"test.yaml:3:1: unknown setting 'x'"};
  const auto bad = node_->reload();
  EXPECT_TRUE(bad.kept);
  EXPECT_EQ(bad.wrong, wrong_);
  const auto status = Rig::must(serve::parse_json(node_->status_json()));
  EXPECT_TRUE(status["configuration"]["reload"]["kept"].truth());
  EXPECT_EQ(status["configuration"]["file"].text(), "test.yaml");
  wrong_.clear();
  set("observers.process", "ring", "1MiB");
  set("agent", "critical_share", "7");
  const auto waiting = node_->reload();
  EXPECT_FALSE(waiting.kept);
  EXPECT_TRUE(waiting.changed.empty());
  ASSERT_EQ(waiting.restart.size(), 2u);
  EXPECT_EQ(waiting.restart[0].setting, "agent.critical_share");
  EXPECT_EQ(waiting.restart[1].setting, "observers.process.ring");
  node_->finish();
  EXPECT_EQ(seen_.records["tapio.configuration.changed"], 0u);
}

// The whole program with a real file: by SIGHUP, and by `tapio reload`.
class Running : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
    std::string name = testing::TempDir() + "tapio-hup-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    socket_ = directory_ / "sock";
    file_ = directory_ / "tapio.yaml";
  }
  void TearDown() override {
    if (agent_ > 0) {
      ::kill(agent_, SIGTERM);
      EXPECT_EQ(wait_for(agent_), 0);
    }
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }
  void write(const std::string& text) const {
    std::ofstream(file_) << "agent: {canary: false}\nsinks: {store: {enabled: false}}\n" << text;
  }
  static int tapio(std::vector<const char*> words) {
    Commands agent;
    words.insert(words.begin(), "tapio");
    return cli::main(static_cast<int>(words.size()), words.data(), agent);
  }
  void start() {
    agent_ = child([&] {
      ::close(STDIN_FILENO);
      ::setsid();
      return tapio({"run", "--config", file_.c_str(), "--socket", socket_.c_str()});
    });
    ASSERT_TRUE(eventually([&](const serve::Json& status) {
      return status["configuration"]["file"].text() == file_.string();
    }));
  }
  [[nodiscard]] bool eventually(const std::function<bool(const serve::Json&)>& holds) const {
    for (int i = 0; i < 300; ++i) {
      const auto answer = serve::ask(socket_, {.command = serve::Command::status});
      if (answer && holds(Rig::must(serve::parse_json(*answer)))) return true;
      ::usleep(50'000);
    }
    return false;
  }

  std::filesystem::path directory_, socket_, file_;
  pid_t agent_ = -1;
};

TEST_F(Running, reloads_on_sighup) {
  write("log: {level: error}\n");
  start();
  write("log: {level: warning}\nobservers: {process: {ring: 1MiB}}\n");
  ASSERT_EQ(::kill(agent_, SIGHUP), 0);
  EXPECT_TRUE(eventually([](const serve::Json& status) {
    return status["configuration"]["reload"]["summary"].text() ==
           "1 setting changed, 1 needs a restart";
  }));
}

TEST_F(Running, reloads_on_command_and_says_what_is_wrong_with_a_bad_file) {
  write("log: {level: error}\n");
  start();
  write("observers: {process: {rate_per_second: 7}}\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(tapio({"reload", "--socket", socket_.c_str()}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "changed\n  log.level: error -> info\n"
            "  observers.process.rate_per_second: 200 -> 7\n");
  write("observers: {process: {rate_per_secnd: 7}}\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(tapio({"reload", "--socket", socket_.c_str()}), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr(file_.string() + ":3:23: unknown setting"),
                             HasSubstr("the old configuration is kept")));
}

}  // namespace
}  // namespace tapio::agent
