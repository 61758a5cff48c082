// SPDX-License-Identifier: Apache-2.0
#include "cri_worker.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "cri_runtimes.hpp"
#include "h2_peer.hpp"
#include "temporary.hpp"

namespace tapio::cri {
namespace {

using namespace std::chrono_literals;

const std::string kOne(64, '1'), kTwo(64, '2');

// A runtime whose answers a test changes while it is asked.
struct Play {
  std::mutex mutex;
  std::map<std::string, Described> containers;
  std::vector<Image> images{{.id = "sha256:1", .name = "nginx:1", .bytes = 7}};
  std::optional<Error> trouble;    // of every call
  std::optional<Error> no_events;  // what listen() ends with
  bool lies = false;               // each status is one that cannot be read
  unsigned unknown_at_first = 0;   // so many times a status is not found
  unsigned statuses = 0, lists = 0, versions = 0;
  Runtime::OnHeard hears;  // while somebody listens

  template <typename Change>
  void with(Change change) {
    const std::scoped_lock lock(mutex);
    change();
  }
};

class Played final : public Runtime {
 public:
  explicit Played(Play& play) : play_(play) {}

  Result<Version> version(const std::stop_token&) override {
    const std::scoped_lock lock(play_.mutex);
    play_.versions++;
    if (play_.trouble) return std::unexpected(*play_.trouble);
    return Version{"containerd", "1.6"};
  }
  Result<std::vector<Described>> list(const std::stop_token&) override {
    const std::scoped_lock lock(play_.mutex);
    play_.lists++;
    if (play_.trouble) return std::unexpected(*play_.trouble);
    std::vector<Described> all;
    for (const auto& [id, one] : play_.containers) {
      all.push_back(one);
      all.back().exit_code = 0;
      all.back().exit_reason.clear();
    }
    return all;
  }
  Result<std::vector<Image>> images(const std::stop_token&) override {
    const std::scoped_lock lock(play_.mutex);
    if (play_.trouble) return std::unexpected(*play_.trouble);
    return play_.images;
  }
  Result<std::optional<Described>> status(const std::string& id, const std::stop_token&) override {
    const std::scoped_lock lock(play_.mutex);
    play_.statuses++;
    if (play_.trouble) return std::unexpected(*play_.trouble);
    if (play_.lies) return invalid("nonsense");
    if (play_.unknown_at_first > 0) return play_.unknown_at_first--, std::nullopt;
    const auto found = play_.containers.find(id);
    if (found == play_.containers.end()) return std::nullopt;
    return found->second;
  }
  Status listen(const OnHeard& on_heard, const std::stop_token& stop) override {
    {
      const std::scoped_lock lock(play_.mutex);
      if (play_.no_events) return std::unexpected(*play_.no_events);
      play_.hears = on_heard;
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait(lock, stop, [] { return false; });
    play_.with([&] { play_.hears = {}; });
    return {};
  }

 private:
  Play& play_;
};

Described running(const std::string& id) {
  return {.id = id, .name = "n", .image = "sha256:1", .state = ContainerState::running};
}

class Workers : public testing::Test {
 protected:
  Workers() : socket_{Socket::Speaks::cri, directory_.file("s")} {
    std::ofstream(socket_.path) << "";  // it is there; nobody connects to it here
  }

  Worker& start(WorkerOptions options = {}) {
    options.backoff = {.first = 1ms, .longest = 5ms};
    options.make = [this](const Socket&, const Asking&) -> Result<std::unique_ptr<Runtime>> {
      return std::make_unique<Played>(play_);
    };
    worker_ = std::make_unique<Worker>(socket_, options, outbox_);
    return *worker_;
  }
  // The first of a kind that is said from now on.
  template <typename Kind>
  Kind wait_for(const std::function<bool(const Kind&)>& fits = [](const Kind&) { return true; }) {
    for (int i = 0; i < 5000; ++i) {
      for (Told& told : outbox_.take()) said_.push_back(std::move(told));
      while (!said_.empty()) {
        const Told told = std::move(said_.front());
        said_.pop_front();
        if (const auto* kind = std::get_if<Kind>(&told); kind && fits(*kind)) return *kind;
      }
      std::this_thread::sleep_for(1ms);
    }
    ADD_FAILURE() << "it is not said";
    return {};
  }
  void wait_connected() {
    wait_for<RuntimeState>([](const auto& s) { return s.is == RuntimeState::Is::connected; });
    for (int i = 0; i < 5000 && !worker_->may_know(""); ++i) std::this_thread::sleep_for(1ms);
  }

  const Temporary directory_;
  Socket socket_;
  Play play_;
  Outbox outbox_;
  std::deque<Told> said_;
  std::unique_ptr<Worker> worker_;
};

TEST_F(Workers, say_what_is_there_with_the_name_of_its_image) {
  play_.containers[kOne] = running(kOne);
  start();
  const auto one = wait_for<Described>();
  EXPECT_EQ(one.id, kOne);
  EXPECT_EQ(one.runtime, "containerd");
  EXPECT_EQ(one.image, "nginx:1");
  const auto state = wait_for<RuntimeState>();
  EXPECT_EQ(state.is, RuntimeState::Is::connected);
  EXPECT_EQ(state.running, 1u);
}

TEST_F(Workers, ask_how_one_ended_that_is_in_a_list) {
  auto ended = running(kOne);
  ended.state = ContainerState::exited;
  ended.exit_code = 137;
  play_.containers[kOne] = ended;
  start();
  EXPECT_EQ(wait_for<Described>().exit_code, 137);
}

TEST_F(Workers, answer_when_somebody_waits_whether_they_know_it_or_not) {
  Worker& worker = start();
  wait_connected();
  EXPECT_TRUE(worker.may_know("containerd"));
  EXPECT_FALSE(worker.may_know("docker"));
  play_.with([&] { play_.containers[kOne] = running(kOne); });
  worker.look_up({.id = kOne, .awaited = true});
  EXPECT_EQ(wait_for<Described>().id, kOne);
  worker.look_up({.id = kTwo, .awaited = true});
  EXPECT_TRUE(wait_for<Unnamed>().asked);
}

TEST_F(Workers, are_patient_with_what_has_just_begun) {
  Worker& worker = start();
  wait_connected();
  play_.with([&] {
    play_.containers[kOne] = running(kOne);
    play_.unknown_at_first = 3;
  });
  worker.look_up({.id = kOne, .awaited = true, .patience = monotonic_now() + 1h});
  EXPECT_EQ(wait_for<Described>().id, kOne);
}

TEST_F(Workers, look_again_at_what_is_about_to_run) {
  Worker& worker = start({.interval = 1h});
  wait_connected();
  auto one = running(kOne);
  one.state = ContainerState::created;
  play_.with([&] { play_.containers[kOne] = one; });
  worker.look_up({.id = kOne, .patience = monotonic_now() + 1h});
  EXPECT_EQ(wait_for<Described>().state, ContainerState::created);
  play_.with([&] { play_.containers[kOne] = running(kOne); });
  wait_for<Described>([](const auto& told) { return told.state == ContainerState::running; });
}

TEST_F(Workers, hear_of_a_container_before_anybody_asks) {
  start();
  wait_connected();
  Runtime::OnHeard hears;
  for (int i = 0; i < 5000 && !hears; ++i) {
    play_.with([&] { hears = play_.hears; });
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(hears);
  play_.with([&] { play_.containers[kOne] = running(kOne); });
  hears({Heard::What::container, kOne, true});
  EXPECT_EQ(wait_for<Described>().id, kOne);
  play_.with([&] { play_.images.push_back({.id = "sha256:2", .name = "redis:7", .bytes = 9}); });
  hears({.what = Heard::What::image});
  const auto pulled = wait_for<Pulled>();
  EXPECT_EQ(pulled.image, "redis:7");
  EXPECT_EQ(pulled.bytes, 9u);
}

TEST_F(Workers, list_when_a_runtime_says_nothing_of_its_own_accord) {
  play_.no_events = Error{Fault::unsupported, "unknown method"};
  start({.interval = 5ms});
  wait_connected();
  play_.with([&] { play_.containers[kOne] = running(kOne); });
  EXPECT_EQ(wait_for<Described>().id, kOne);
  play_.with([&] { play_.containers.clear(); });
  EXPECT_EQ(wait_for<Removed>().id, kOne);
  EXPECT_GT(wait_for<RuntimeState>().time.count(), 0);
}

TEST_F(Workers, let_nobody_wait_for_a_runtime_that_is_gone_and_come_back_to_it) {
  Worker& worker = start({.interval = 1h});
  wait_connected();
  play_.with([&] { play_.trouble = Error{Fault::unavailable, "timed out"}; });
  worker.look_up({.id = kOne, .awaited = true});
  EXPECT_FALSE(wait_for<Unnamed>().asked);
  const auto state = wait_for<RuntimeState>();
  EXPECT_EQ(state.is, RuntimeState::Is::silent);
  EXPECT_EQ(state.reason, "timed out");
  EXPECT_FALSE(worker.may_know(""));
  play_.with([&] { play_.trouble.reset(); });
  wait_connected();
  EXPECT_TRUE(worker.may_know(""));
}

TEST_F(Workers, say_why_they_may_not_ask_and_say_it_once) {
  play_.trouble = Error{Fault::denied, "not permitted"};
  start();
  EXPECT_EQ(wait_for<RuntimeState>().is, RuntimeState::Is::denied);
  const auto tries = [this] {
    unsigned count = 0;
    play_.with([&] { count = play_.versions; });
    return count;
  };
  for (int i = 0; i < 5000 && tries() < 4; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_GE(tries(), 4u);
  for (const Told& told : outbox_.take()) EXPECT_FALSE(std::holds_alternative<RuntimeState>(told));
}

TEST_F(Workers, know_what_is_no_runtime) {
  play_.trouble = Error{Fault::unsupported, "unknown service runtime.v1.RuntimeService"};
  start();
  EXPECT_EQ(wait_for<RuntimeState>().is, RuntimeState::Is::not_a_runtime);
}

TEST_F(Workers, stay_with_a_runtime_that_says_nonsense_of_one_container) {
  Worker& worker = start({.interval = 1h});
  wait_connected();
  play_.with([&] { play_.lies = true; });
  worker.look_up({.id = kOne, .awaited = true});
  EXPECT_FALSE(wait_for<Unnamed>().asked);
  EXPECT_TRUE(worker.may_know(""));
}

TEST_F(Workers, take_a_bounded_number_of_questions) {
  Worker& worker = start({.interval = 1h, .lookups_per_second = 1});
  wait_connected();
  std::size_t taken = 0;
  for (std::size_t i = 0; i < 2 * Worker::kMaxWanted; ++i)
    taken += worker.look_up({.id = std::to_string(i)});
  EXPECT_GE(taken, Worker::kMaxWanted);
  EXPECT_LE(taken, Worker::kMaxWanted + 10);  // it has begun to answer
}

TEST_F(Workers, say_that_there_is_no_socket) {
  socket_.path = directory_.file("none");
  start();
  EXPECT_EQ(wait_for<RuntimeState>().is, RuntimeState::Is::absent);
}

TEST(LiveRuntimesOfANode, say_at_once_that_nobody_is_there_to_be_asked) {
  const Temporary directory;
  LiveRuntimes runtimes({.sockets = {directory.file("none")}});
  runtimes.look_up(kOne, "", true, false);
  bool unnamed = false;
  for (const Told& told : unpacked(runtimes.take()))
    if (const auto* one = std::get_if<Unnamed>(&told)) unnamed = !one->asked;
  EXPECT_TRUE(unnamed);
}

TEST(LiveRuntimesOfANode, look_where_runtimes_usually_are) {
  EXPECT_THAT(LiveRuntimes::usual_sockets(),
              testing::IsSupersetOf({"/run/containerd/containerd.sock", "/run/crio/crio.sock",
                                     "/run/docker.sock", "/run/podman/podman.sock"}));
}

}  // namespace
}  // namespace tapio::cri
