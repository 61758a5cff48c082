// SPDX-License-Identifier: Apache-2.0
// What a live agent recorded comes out of a replay byte for byte.
#include "agent/replay.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "record/json.hpp"
#include "rig.hpp"
#include "test_cgroup.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

void append_lines(std::string& out, const Batch& batch) {
  for (const Record& record : batch.records) {
    append_json(out, record, batch.clocks);
    out += '\n';
  }
}

class Lines final : public Sink {
 public:
  explicit Lines(std::string& out) : out_(out) {}
  Status write(const Batch& batch) override {
    append_lines(out_, batch);
    return {};
  }

 private:
  std::string& out_;
};

class ReplayOnKernel : public OnEveryPath {
 protected:
  void SetUp() override {
    OnEveryPath::SetUp();
    std::string name = testing::TempDir() + "tapio-record-XXXXXX";
    if (!::mkdtemp(name.data())) FAIL() << "no directory";
    directory_ = name;
    file_ = directory_ / "live.rec";
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
    OnEveryPath::TearDown();
  }

  // What came out live.
  std::string record(const config::Tree& configuration, const std::function<void()>& act,
                     std::uint64_t max_bytes = 64 << 20) {
    std::string out;
    NodeOptions options{.configuration = configuration,
                        .configured_sinks = false,
                        .canary_song = {"/bin/sh", "-c", "kill -9 $$"},
                        .recorder = Rig::must(
                            replay::Recorder::create(file_, replay::Existing::refuse, max_bytes))};
    options.sinks.emplace_back("lines", std::make_unique<Lines>(out));
    auto node = Rig::must(Node::start(std::move(options)));
    std::atomic<bool> acted = false;
    std::thread actor([&] {
      act();
      acted = true;
    });
    std::optional<MonotonicTime> until;
    node->run([&] {
      if (acted && !until) until = monotonic_now() + 3s;  // for stories to settle
      return until && monotonic_now() > *until;
    });
    actor.join();
    node->finish();
    EXPECT_TRUE(node->recorder()->finish());
    return out;
  }
  std::string replayed() {
    std::string out;
    auto replay = Rig::must(Replay::open(
        Rig::must(replay::Player::open(file_)), configuration(),
        [&](const std::shared_ptr<const Batch>& batch) { append_lines(out, *batch); }));
    const auto done = replay->run([] { return false; });
    EXPECT_TRUE(done) << done.error().what;
    EXPECT_EQ(replay->malformed(), 0u);
    return out;
  }
  std::string content() {
    auto frames = Rig::must(replay::FrameReader::open(file_));
    std::string all;
    for (auto frame = frames.next(); frame && *frame; frame = frames.next()) all += **frame;
    return all;
  }
  std::string file_;

 private:
  std::filesystem::path directory_;
};
INSTANTIATE_TEST_SUITE_P(Paths, ReplayOnKernel, kEveryPath, path_name);

void run(const std::vector<const char*>& words) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::vector<std::string> texts(words.begin(), words.end());
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    ::execv(all.front(), all.data());
    ::_exit(127);
  }
  ::waitpid(pid, nullptr, 0);
}

// Where two texts part, for a message of a size that a person reads.
std::string first_difference(std::string_view a, std::string_view b) {
  const auto [x, y] = std::ranges::mismatch(a, b);
  const auto begin = static_cast<std::size_t>(x - a.begin());
  const auto line = a.substr(0, begin).rfind('\n') + 1;
  return fmt::format("live   {}\nreplay {}", a.substr(line, a.find('\n', begin) - line),
                     b.substr(line, b.find('\n', begin) - line));
}

TEST_P(ReplayOnKernel, gives_what_came_out_live_byte_for_byte_and_keeps_no_secret) {
  const auto live = record(configuration(), [] {
    run({"/bin/sh", "-c", "sleep 100 & kill -9 $!; wait"});
    run({"/bin/sh", "-c", "exit 137"});
    run({"/bin/echo", "--password=hunter2-of-replay"});
    run({"/nowhere/at/all"});
    run({"/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done"});
  });
  EXPECT_THAT(live, HasSubstr("\"type\":\"story\""));
  EXPECT_THAT(live, HasSubstr("--password=***"));
  const auto again = replayed();
  EXPECT_TRUE(live == again) << first_difference(live, again);
  EXPECT_TRUE(again == replayed());
  EXPECT_THAT(content(), Not(HasSubstr("hunter2-of-replay")));
}

TEST_P(ReplayOnKernel, holds_losses_surplus_and_what_observers_read_by_themselves) {
  if (!std::string_view(GetParam()).empty()) GTEST_SKIP() << "the same on every path";
  auto tree = configuration();
  const auto set = [&](std::string_view section, std::string_view name, std::string value) {
    Rig::must(tree.at(section).set(name, std::vector{std::move(value)}));
  };
  set("observers.process", "rate_per_second", "50");
  set("observers.process", "lifecycle_rate_per_second", "20");
  set("agent", "critical_share", "20");
  set("observers.container", "memory_interval", "1000ms");
  const auto live = record(tree, [] {
    const pid_t noisy = child([] {
      ::signal(SIGUSR1, SIG_IGN);
      for (int i = 0; i < 2000; ++i) ::kill(::getpid(), SIGUSR1);
      for (int i = 0; i < 60; ++i) {
        const pid_t pid = ::fork();
        if (pid == 0) ::raise(SIGKILL);
        ::waitpid(pid, nullptr, 0);
      }
      return 0;
    });
    ::waitpid(noisy, nullptr, 0);
    std::this_thread::sleep_for(1500ms);
  });
  EXPECT_THAT(live, HasSubstr("\"type\":\"gap\""));
  EXPECT_THAT(live, HasSubstr("rate_limited"));
  EXPECT_THAT(live, HasSubstr("process.signal.surplus"));
  const auto again = replayed();
  EXPECT_TRUE(live == again) << first_difference(live, again);
  EXPECT_THAT(content(), HasSubstr("kernel log"));
  EXPECT_THAT(content(), HasSubstr("cgroup"));
}

TEST_P(ReplayOnKernel, a_full_recording_ends_with_what_came_out_up_to_there) {
  if (!std::string_view(GetParam()).empty()) GTEST_SKIP() << "the same on every path";
  auto tree = configuration();
  const auto live = record(
      tree,
      [] {
        for (int i = 0; i < 300; ++i) run({"/bin/true", std::to_string(i * 7919).c_str()});
      },
      replay::Recorder::kLeastBytes);
  const auto again = replayed();
  EXPECT_TRUE(live.starts_with(again)) << first_difference(live, again);
  EXPECT_FALSE(again.empty());
}

}  // namespace
}  // namespace tapio::agent
