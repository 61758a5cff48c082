// SPDX-License-Identifier: Apache-2.0
#include "agent/replay.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "agent/configuration.hpp"
#include "agent/inlet.hpp"
#include "record/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Says that programs were loaded, which no unit test does, and lets the rest be recorded.
class Loaded final : public Outside {
 public:
  explicit Loaded(replay::Recorder& recorder) : recorder_(recorder) {}
  std::string ask(std::string_view question, const Look& look) override {
    if (question == "load programs")
      return recorder_.ask(question, [] { return std::string(1, '\0'); });
    return recorder_.ask(question, look);
  }

 private:
  replay::Recorder& recorder_;
};

class ReplayTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tapio-replay-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    directory_ = name;
    file_ = directory_ / "x.rec";
    recorder_ = std::move(*replay::Recorder::create(file_, replay::Existing::refuse, 1 << 20));
    recorder_->begin(header_of(configuration_, 7));
    loaded_.emplace(*recorder_);
    inlet_.emplace(pipeline_, recorder_.get());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void start(std::string_view name) {
    const auto& all = observers();
    const auto& descriptor = **std::ranges::find(all, name, &Descriptor::name);
    (*inlet_)(replay::Starting{name});
    capture::Programs programs({.outside = &*loaded_}, [](Bytes) {});
    auto observer = descriptor.start(
        {configuration_.at(fmt::format("observers.{}", name)), programs, *loaded_});
    ASSERT_TRUE(observer) << observer.error().what;
    pipeline_.admit(descriptor, std::move(*observer), Role::full);
  }
  void take(const replay::Input& input) { (*inlet_)(input); }
  void live_a_little() {
    const std::vector<std::string_view> args{"/sbin/init"};
    const std::vector<std::string_view> blind{"nothing is seen"};
    take(replay::ClocksRead{{.wall_ahead = 1'700'000'000s, .boottime_ahead = 1s}, 1s});
    take(replay::Watching{1s});
    take(replay::ProcessFound{
        {.time = 1s, .process = {1, 1}, .name = "init", .executable = "/sbin/init", .args = args}});
    take(replay::WalkBegan{2s});
    take(replay::CgroupFound{2s, 5, "/system.slice/x.service"});
    take(replay::WalkEnded{2s});
    take(replay::SightChanged{blind});
    take(replay::SurplusTaken{1, {.cgroup_id = 5, .detail = 9, .count = 1000}, 3s});
    take(replay::Ticked{3s});
    take(replay::LossFound{"process", "normal", "kernel", "ring_full", 2s, 3s, 12});
    take(replay::Flushed{});
    take(replay::Advanced{4s});
  }
  Result<std::string> replayed() {
    std::string out;
    auto player = replay::Player::open(file_);
    if (!player) return std::unexpected(player.error());
    auto replay = TRY(
        Replay::open(std::move(*player), configuration(),
                     [&out](const std::shared_ptr<const Batch>& batch) { append(out, *batch); }));
    TRY(replay->run([] { return false; }));
    return out;
  }
  static void append(std::string& out, const Batch& batch) {
    for (const Record& record : batch.records) {
      append_json(out, record, batch.clocks);
      out += '\n';
    }
  }

  config::Tree configuration_ = configuration();
  std::string live_, file_;
  std::unique_ptr<replay::Recorder> recorder_;
  std::optional<Loaded> loaded_;
  Pipeline pipeline_{{.run = 7, .rules = stories()},
                     [this](const std::shared_ptr<const Batch>& batch) { append(live_, *batch); }};
  std::optional<Inlet> inlet_;

 private:
  std::filesystem::path directory_;
};

TEST_F(ReplayTest, gives_what_came_out_then) {
  start("process");
  start("container");
  live_a_little();
  ASSERT_TRUE(recorder_->finish());
  EXPECT_THAT(live_, HasSubstr("process.signal.surplus"));
  EXPECT_THAT(live_, HasSubstr("\"reason\":\"ring_full\""));
  EXPECT_THAT(live_, HasSubstr("00000007."));
  const auto again = replayed();
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(*again, live_);
}

TEST_F(ReplayTest, an_observer_that_did_not_start_then_does_not_start_now) {
  take(replay::Starting{"process"});
  (void)recorder_->attempt("load programs", [] { return fail(Fault::denied, "not you"); });
  live_a_little();
  ASSERT_TRUE(recorder_->finish());
  EXPECT_EQ(replayed().value(), live_);
  EXPECT_THAT(live_, testing::Not(HasSubstr("surplus")));
}

TEST_F(ReplayTest, the_settings_are_those_of_then) {
  const std::vector<std::string> words{"quietword$HOME"};
  ASSERT_TRUE(configuration_.at("redact").set("names", words));
  recorder_.reset();
  std::filesystem::remove(file_);
  recorder_ = std::move(*replay::Recorder::create(file_, replay::Existing::refuse, 1 << 20));
  recorder_->begin(header_of(configuration_, 7));
  ASSERT_TRUE(recorder_->finish());
  const auto player = std::move(*replay::Player::open(file_));
  auto tree = configuration();
  ASSERT_TRUE(config::load(tree, player->header().configuration, "x", [](const char*) {
                return "from the environment";
              }).empty());
  EXPECT_EQ(tree.at("redact").as<RedactConfig>().names, words);
  EXPECT_THAT(player->header().configuration, testing::Not(HasSubstr("sinks")));
}

TEST_F(ReplayTest, an_observer_that_nobody_has_is_named) {
  take(replay::Starting{"teapot"});
  ASSERT_TRUE(recorder_->finish());
  const auto again = replayed();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().fault, Fault::broken);
  EXPECT_THAT(again.error().what, HasSubstr("'teapot', which this tapio does not have"));
}

TEST_F(ReplayTest, questions_of_another_tapio_are_named) {
  take(replay::Starting{"process"});
  (void)recorder_->ask("something else", [] { return std::string("x"); });
  ASSERT_TRUE(recorder_->finish());
  const auto again = replayed();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().what, HasSubstr("no answer to 'load programs' here"));
}

TEST_F(ReplayTest, samples_that_cannot_be_read_are_kept_without_what_is_behind_their_header) {
  start("process");
  struct {
    tapio_event_header header;
    char tail[24];
  } torn{.header = {.time_ns = 5, .size = sizeof torn, .kind = 0x0102, .version = 77},
         .tail = "hunter2"};
  inlet_->take(std::as_bytes(std::span(&torn, 1)));
  take(replay::Advanced{1s});
  ASSERT_TRUE(recorder_->finish());
  auto frames = std::move(*replay::FrameReader::open(file_));
  std::string content;
  for (auto frame = frames.next(); frame && *frame; frame = frames.next()) content += **frame;
  EXPECT_THAT(content, testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(pipeline_.counts().at(1).malformed, 1u);
}

}  // namespace
}  // namespace tapio::agent
