// SPDX-License-Identifier: Apache-2.0
#include "agent/pipeline.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <stdexcept>

#include "record/gap.hpp"

namespace tapio::agent {
namespace {

constexpr std::uint16_t kKind = 0x7701;

constexpr SchemaOf kEcho{"echo", Kind::event, "What a sample said.",
                         Field{"number", Type::u64, "Its number."},
                         Field{"args", Type::texts, "Some arguments."}};
constexpr const Schema* kSchemas[] = {&kEcho};

// Tells each sample as it came: its `tid` is a number. Throws at 666, refuses 13.
class Echo final : public Observer {
 public:
  Status on_sample(const wire::Sample& sample, Output& out) override {
    const auto& header = sample.header;
    if (header.tid == 666) throw std::runtime_error("the number of the beast");
    if (header.tid == 13) return invalid("unlucky");
    const auto args = out.arena().list(2);
    args[0] = "mysql";
    args[1] = "--password=hunter2";
    const Origin origin{.time = MonotonicTime(header.time_ns),
                        .cgroup_id = header.cgroup_id,
                        .pid = header.tgid,
                        .tid = header.tid,
                        .event_class = static_cast<tapio_class>(header.event_class)};
    out.publish(ProcessExecuted{.time = origin.time,
                                .evidence = out.next_id(),
                                .process = {header.tgid, 5},
                                .name = "mysql",
                                .executable = "/usr/bin/mysql",
                                .args = args});
    ids.push_back(out.next_id());
    if (withholds) {
      EXPECT_EQ(out.withhold(sample, origin, Withheld::rate_limited), ids.back());
      return {};
    }
    EXPECT_EQ(out.emit(kEcho(origin, header.tid, std::span<const std::string_view>(args))),
              ids.back());
    return {};
  }
  std::optional<Record> make_record(const wire::Sample& sample, const Clocks&,
                                    Arena& arena) const override {
    const auto args = arena.list(1);
    args[0] = "--password=hunter2";
    return kEcho(Origin{}, sample.header.tid, std::span<const std::string_view>(args));
  }
  std::vector<RecordId> ids;
  bool withholds = false;
};

const Descriptor kEchoDescriptor{.name = "echo", .id = kKind >> 8, .schemas = kSchemas};

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() { admit(Role::full); }
  void admit(Role role, std::span<const RuleDescriptor* const> rules = {}) {
    pipeline = std::make_unique<Pipeline>(
        Pipeline::Options{.run = 7, .rules = rules},
        [this](const std::shared_ptr<const Batch>& batch) { batches.push_back(batch); });
    auto observer = std::make_unique<Echo>();
    echo = observer.get();
    pipeline->admit(kEchoDescriptor, std::move(observer), role);
  }
  void take(std::uint64_t time, std::uint32_t number, tapio_class event_class = TAPIO_NORMAL) {
    const tapio_event_header header{.time_ns = time,
                                    .tgid = 100,
                                    .tid = number,
                                    .size = sizeof header,
                                    .kind = kKind,
                                    .version = 1,
                                    .event_class = static_cast<std::uint8_t>(event_class)};
    pipeline->take(std::as_bytes(std::span(&header, 1)));
  }
  std::vector<std::uint64_t> numbers() {
    pipeline->flush();
    std::vector<std::uint64_t> list;
    for (const auto& batch : batches)
      for (const auto& record : batch->records)
        if (record.schema == &kEcho) list.push_back(std::get<std::uint64_t>(record.values[0]));
    return list;
  }

  Echo* echo = nullptr;  // of the pipeline
  std::unique_ptr<Pipeline> pipeline;
  std::vector<std::shared_ptr<const Batch>> batches;
};

using testing::ElementsAre;

TEST_F(PipelineTest, what_happened_before_a_suspend_keeps_its_wall_time) {
  using namespace std::chrono_literals;
  pipeline->set_clocks({.wall_ahead = 1000s, .boottime_ahead = 5s}, 1us);
  take(5'000, 1);
  pipeline->advance(10us);
  pipeline->set_clocks({.wall_ahead = 1000s + 1h, .boottime_ahead = 5s + 1h}, 20us);
  take(30'000, 2);
  pipeline->advance(40us);
  pipeline->flush();
  ASSERT_EQ(batches.size(), 1u);
  const Batch& batch = *batches[0];
  ASSERT_EQ(batch.records.size(), 2u);
  EXPECT_EQ(wall_time(batch.records[0].origin.time, batch.clocks), 1000s + 5us);
  EXPECT_EQ(wall_time(batch.records[1].origin.time, batch.clocks), 1000s + 1h + 30us);
}

TEST_F(PipelineTest, a_wall_clock_that_is_set_holds_from_the_next_batch_on) {
  using namespace std::chrono_literals;
  for (const auto wall : {1000s, 500s, 90'000s}) {
    pipeline->set_clocks({.wall_ahead = wall, .boottime_ahead = 0s}, 1us);
    take(5'000, 1);
    pipeline->advance(10us);
    pipeline->flush();
    EXPECT_EQ(batches.back()->clocks.wall_ahead_at(5us), wall);
  }
}

TEST_F(PipelineTest, hands_out_in_order_of_time_and_critical_ones_at_once) {
  take(300, 3);
  take(100, 1);
  take(200, 9, TAPIO_CRITICAL);
  EXPECT_THAT(numbers(), ElementsAre(9));
  pipeline->advance(MonotonicTime(250));
  EXPECT_THAT(numbers(), ElementsAre(9, 1));
  pipeline->advance(MonotonicTime(400));
  EXPECT_THAT(numbers(), ElementsAre(9, 1, 3));
  EXPECT_EQ(pipeline->waiting(), 0u);
}

TEST_F(PipelineTest, marks_what_comes_too_late_for_its_place) {
  take(300, 3);
  pipeline->advance(MonotonicTime(400));
  take(100, 1);
  pipeline->advance(MonotonicTime(500));
  EXPECT_THAT(numbers(), ElementsAre(3, 1));
  EXPECT_EQ(batches.back()->records.back().origin.order, Order::late);
  EXPECT_EQ(pipeline->counts().at(kKind >> 8).late, 1u);
}

TEST_F(PipelineTest, no_secret_gets_into_a_record_or_into_the_world) {
  take(1, 1, TAPIO_CRITICAL);
  pipeline->flush();
  const auto& record = batches.at(0)->records.at(0);
  EXPECT_THAT(std::get<std::span<const std::string_view>>(record.values[1]),
              ElementsAre("mysql", "--password=***"));
  const Process* process = pipeline->world().process(100);
  ASSERT_TRUE(process);
  EXPECT_THAT(process->image->args_text, testing::Not(testing::HasSubstr("hunter2")));
}

TEST_F(PipelineTest, adds_who_acted_as_the_world_knows_it) {
  take(1, 1, TAPIO_CRITICAL);
  pipeline->flush();
  const auto* who = batches.at(0)->records.at(0).context;
  ASSERT_TRUE(who);
  EXPECT_EQ(who->executable, "/usr/bin/mysql");
}

// A cgroup whose identity is in its path, and the record of a process in it.
class PlaceTest : public PipelineTest {
 protected:
  static constexpr std::string_view kPath =
      "/docker/4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";

  class InCgroup final : public Observer {
   public:
    Status on_sample(const wire::Sample& sample, Output& out) override {
      const auto& header = sample.header;
      out.emit(kEcho({.time = MonotonicTime(header.time_ns),
                      .cgroup_id = header.cgroup_id,
                      .pid = header.tgid},
                     header.tid, std::span<const std::string_view>()));
      return {};
    }
  };

  PlaceTest() {
    pipeline = std::make_unique<Pipeline>(
        Pipeline::Options{.run = 7},
        [this](const std::shared_ptr<const Batch>& batch) { batches.push_back(batch); });
    pipeline->admit(kEchoDescriptor, std::make_unique<InCgroup>(), Role::full);
  }
  void take_in(std::uint64_t cgroup_id, std::uint32_t pid) {
    const tapio_event_header header{.time_ns = 1,
                                    .cgroup_id = cgroup_id,
                                    .tgid = pid,
                                    .size = sizeof header,
                                    .kind = kKind,
                                    .version = 1,
                                    .event_class = TAPIO_CRITICAL};
    pipeline->take(std::as_bytes(std::span(&header, 1)));
  }
};

TEST_F(PlaceTest, adds_the_container_also_when_no_process_is_known) {
  pipeline->publish(CgroupCreated{.cgroup_id = 9, .path = kPath});
  take_in(9, 0);
  take_in(9, 100);
  take_in(0, 100);
  pipeline->flush();
  const auto& records = batches.at(0)->records;
  ASSERT_EQ(records.size(), 3u);
  for (const std::size_t i : {0u, 1u}) {
    ASSERT_TRUE(records[i].context) << i;
    EXPECT_EQ(records[i].context->place.container_runtime, "docker");
    EXPECT_EQ(records[i].context->place.cgroup_path, kPath);
    EXPECT_EQ(records[i].context->process_id, "");
  }
  EXPECT_FALSE(records[2].context);
}

TEST_F(PlaceTest, one_batch_holds_the_text_of_a_cgroup_once) {
  pipeline->publish(CgroupCreated{.cgroup_id = 9, .path = kPath});
  for (std::uint32_t pid = 1; pid <= 50; ++pid) take_in(9, pid);
  pipeline->flush();
  EXPECT_EQ(batches.at(0)->contexts.size(), 50u);
  for (const Context& context : batches.at(0)->contexts)
    EXPECT_EQ(context.place.cgroup_path.data(),
              batches.at(0)->contexts.front().place.cgroup_path.data());
  take_in(9, 1);
  pipeline->flush();
  EXPECT_EQ(batches.at(1)->records.at(0).context->place.cgroup_path, kPath);
}

TEST_F(PlaceTest, asks_for_a_cgroup_that_nothing_is_known_of_until_there_is) {
  take_in(9, 100);
  take_in(9, 100);
  take_in(8, 0);  // nobody is in it who could tell
  auto unknown = pipeline->take_unknown_cgroups();
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_EQ(unknown[0].id, 9u);
  EXPECT_EQ(unknown[0].pid, 100u);
  pipeline->publish(CgroupCreated{.cgroup_id = 9, .path = kPath});
  take_in(9, 100);
  EXPECT_TRUE(pipeline->take_unknown_cgroups().empty());
  pipeline->flush();
  EXPECT_EQ(batches.at(0)->records.back().context->place.cgroup_path, kPath);
  for (std::uint64_t id = 1000; id < 1000 + 2 * Pipeline::kMaxUnknownCgroups; ++id) take_in(id, 5);
  EXPECT_EQ(pipeline->take_unknown_cgroups().size(), Pipeline::kMaxUnknownCgroups);
}

TEST_F(PipelineTest, a_malformed_sample_is_counted_and_stops_nothing) {
  take(1, 13, TAPIO_CRITICAL);
  take(2, 2, TAPIO_CRITICAL);
  EXPECT_THAT(numbers(), ElementsAre(2));
  EXPECT_EQ(pipeline->counts().at(kKind >> 8).handled, 2u);
  EXPECT_EQ(pipeline->counts().at(kKind >> 8).malformed, 1u);
}

TEST_F(PipelineTest, an_observer_that_throws_is_out_and_named_once) {
  take(1, 666, TAPIO_CRITICAL);
  take(2, 2, TAPIO_CRITICAL);
  EXPECT_THAT(numbers(), ElementsAre());
  const auto broken = pipeline->take_broken();
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_THAT(broken.at(kKind >> 8), testing::HasSubstr("the number of the beast"));
  EXPECT_TRUE(pipeline->take_broken().empty());
  pipeline->on_tick(MonotonicTime(5));  // and nobody asks it any more
  EXPECT_EQ(pipeline->counts().at(kKind >> 8).handled, 2u) << "the books stay closed";
}

TEST_F(PipelineTest, a_provider_tells_facts_and_hands_out_no_records) {
  admit(Role::provider);
  take(1, 1, TAPIO_CRITICAL);
  EXPECT_THAT(numbers(), ElementsAre());
  EXPECT_TRUE(pipeline->world().process(100));
}

TEST_F(PipelineTest, what_is_withheld_takes_nothing_of_a_batch) {
  admit(Role::provider);
  for (std::uint32_t time = 1; time <= 10'000; ++time) take(time, 1, TAPIO_CRITICAL);
  pipeline->on_loss(
      {{"echo", "normal", "kernel", "ring_full"}, MonotonicTime(1), MonotonicTime(2), 7});
  pipeline->flush();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0]->records.size(), 1u);
  EXPECT_LT(batches[0]->bytes(), 8u << 10);
}

TEST_F(PipelineTest, a_loss_becomes_a_gap_record) {
  pipeline->on_loss(
      {{"echo", "normal", "kernel", "ring_full"}, MonotonicTime(1), MonotonicTime(9), 5});
  pipeline->flush();
  const auto& gap = batches.at(0)->records.at(0);
  EXPECT_EQ(gap.schema, &kGap);
  EXPECT_EQ(std::get<std::string_view>(gap.values[3]), "ring_full");
  EXPECT_EQ(std::get<std::uint64_t>(gap.values[6]), 5u);
}

// Tells a story of each loss.
class Mourner final : public Rule {
 public:
  void on_fact(const Fact& fact, const World&, Tell& tell) override {
    Story story;
    story.title = name(std::get<Lost>(fact).event_class);
    tell.push_back(std::move(story));
  }
  void on_time(MonotonicTime, const World&, Tell&) override {}
};
constexpr RuleDescriptor kMourner{
    .name = "mourner",
    .summary = "",
    .needs = facts_of<Lost>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<Mourner>(); }};
constexpr const RuleDescriptor* kMourners[] = {&kMourner};

TEST_F(PipelineTest, a_run_that_the_kernel_missed_might_have_been_of_the_class_that_matters) {
  admit(Role::full, kMourners);
  const auto lost = [&](const char* event_class, const char* stage) {
    pipeline->on_loss({{"echo", event_class, stage, "why"}, MonotonicTime(1), MonotonicTime(9), 5});
  };
  lost("*", "kernel");
  lost("bulk", "kernel");
  lost("*", "records");
  pipeline->flush();
  std::vector<std::string_view> told;
  for (const Record& record : batches.at(0)->records)
    if (record.schema == &kStorySchema)
      told.push_back(std::get<std::string_view>(record.values[0]));
  EXPECT_THAT(told, ElementsAre("critical", "bulk"));
}

// Tells a story for each exec, which rests on it.
class Witness final : public Rule {
 public:
  void on_fact(const Fact& fact, const World&, Tell& tell) override {
    Story story;
    story.evidence = {std::get<ProcessExecuted>(fact).evidence};
    tell.push_back(std::move(story));
  }
  void on_time(MonotonicTime, const World&, Tell&) override {}
};
constexpr RuleDescriptor kWitness{
    .name = "witness",
    .summary = "",
    .needs = facts_of<ProcessExecuted>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<Witness>(); }};
constexpr const RuleDescriptor* kWitnesses[] = {&kWitness};

TEST_F(PipelineTest, what_a_story_rests_on_is_handed_out_before_it_also_when_it_was_withheld) {
  admit(Role::provider, kWitnesses);
  take(1, 5, TAPIO_CRITICAL);
  EXPECT_THAT(numbers(), ElementsAre(5));
  const auto& records = batches.at(0)->records;
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].schema, &kStorySchema);
  EXPECT_EQ(records[0].origin.order, Order::late);
  EXPECT_THAT(std::get<std::span<const std::string_view>>(records[0].values[1]),
              ElementsAre("mysql", "--password=***"));
  EXPECT_EQ(pipeline->reserve().released, 1u);
}

TEST_F(PipelineTest, what_was_withheld_unmade_is_made_when_a_story_rests_on_it) {
  admit(Role::full, kWitnesses);
  echo->withholds = true;
  take(1, 5, TAPIO_CRITICAL);
  EXPECT_THAT(numbers(), ElementsAre(5));
  const Record& record = batches.at(0)->records.at(0);
  EXPECT_EQ(record.origin.order, Order::late);
  EXPECT_EQ(record.origin.pid, 100u);
  EXPECT_EQ(record.id, echo->ids.at(0));
  EXPECT_THAT(std::get<std::span<const std::string_view>>(record.values[1]),
              ElementsAre("--password=***"));
  EXPECT_EQ(pipeline->counts().at(kEchoDescriptor.id).rate_limited[TAPIO_CRITICAL], 1u);
}

// Makes a fact of each exec.
class Detector final : public Observer {
 public:
  Status on_sample(const wire::Sample&, Output&) override { return {}; }
  void on_fact(const Fact& fact, Output& out) override {
    if (const auto* executed = std::get_if<ProcessExecuted>(&fact)) {
      EXPECT_TRUE(out.world().process(executed->process)) << "the World knows first";
      out.publish(Detected{.time = executed->time, .process = executed->process});
    } else {
      detected++;
    }
  }
  int detected = 0;
};
const Descriptor kDetectorDescriptor{
    .name = "detector", .id = 0x78, .needs = facts_of<ProcessExecuted, Detected>};

TEST_F(PipelineTest, an_observer_gets_the_facts_it_needs_its_own_among_them) {
  auto detector = std::make_unique<Detector>();
  const auto& its = *detector;
  pipeline->admit(kDetectorDescriptor, std::move(detector), Role::full);
  take(1, 1, TAPIO_CRITICAL);
  take(2, 2, TAPIO_CRITICAL);
  EXPECT_EQ(its.detected, 2);
}

TEST(Losses, tell_each_loss_once_and_keep_the_total) {
  Losses losses(MonotonicTime(0));
  const LossKey key{"a", "normal", "kernel", "ring_full"};
  losses.total(key, 3);
  EXPECT_EQ(losses.fresh(MonotonicTime(10)).at(0).count, 3u);
  EXPECT_TRUE(losses.fresh(MonotonicTime(20)).empty());
  losses.total(key, 7);
  const auto fresh = losses.fresh(MonotonicTime(30));
  EXPECT_EQ(fresh.at(0).count, 4u);
  EXPECT_EQ(fresh.at(0).from, MonotonicTime(20));
  EXPECT_EQ(losses.all().at(0).count, 7u);
}

// A container whose records wait for its name.
class NamesTest : public PipelineTest {
 protected:
  static constexpr std::uint64_t kCgroup = 77;
  const std::string id = std::string(64, 'a');

  NamesTest() {
    pipeline->publish(
        CgroupCreated{.time = MonotonicTime(1), .cgroup_id = kCgroup, .path = "/docker/" + id});
  }
  void await() {
    pipeline->publish(
        ContainerAwaited{.time = {}, .id = id, .until = MonotonicTime(1'000'000'000)});
  }
  void describe() {
    pipeline->publish(ContainerDescribed{.time = MonotonicTime(2),
                                         .id = id,
                                         .name = "web",
                                         .image = "nginx:1",
                                         .pod_name = "web-0",
                                         .pod_namespace = "shop"});
  }
  void act(std::uint64_t time, tapio_class event_class = TAPIO_NORMAL,
           std::uint64_t cgroup = kCgroup) {
    const tapio_event_header header{.time_ns = time,
                                    .cgroup_id = cgroup,
                                    .tgid = 100,
                                    .tid = 1,
                                    .size = sizeof header,
                                    .kind = kKind,
                                    .version = 1,
                                    .event_class = static_cast<std::uint8_t>(event_class)};
    pipeline->take(std::as_bytes(std::span(&header, 1)));
    pipeline->flush();
    pipeline->advance(MonotonicTime(time + 1));
    pipeline->flush();
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& batch : batches)
      for (const auto& record : batch->records)
        list.emplace_back(record.context ? record.context->place.container_name : "nobody");
    return list;
  }
};

TEST_F(NamesTest, records_of_an_awaited_container_wait_for_its_name_and_those_behind_them_too) {
  await();
  act(10);
  act(20, TAPIO_NORMAL, 0);
  EXPECT_THAT(names(), ElementsAre());
  EXPECT_EQ(pipeline->holding().batches, 2u);
  describe();
  pipeline->advance(MonotonicTime(30));
  EXPECT_THAT(names(), ElementsAre("web", ""));
  const Place& place = batches.at(0)->records.at(0).context->place;
  EXPECT_EQ(place.container_image, "nginx:1");
  EXPECT_EQ(place.pod_name, "web-0");
  EXPECT_EQ(place.pod_namespace, "shop");
  EXPECT_EQ(pipeline->holding().batches, 0u);
  EXPECT_EQ(pipeline->holding().bytes, 0u);
  EXPECT_EQ(pipeline->holding().unnamed, 0u);
}

// As when the record of its beginning comes before anybody has asked.
TEST_F(NamesTest,
       a_record_from_before_the_question_waits_too_and_one_from_before_the_answer_is_named) {
  take(10, 1);
  const tapio_event_header header{.time_ns = 10,
                                  .cgroup_id = kCgroup,
                                  .tgid = 100,
                                  .tid = 1,
                                  .size = sizeof header,
                                  .kind = kKind,
                                  .version = 1,
                                  .event_class = TAPIO_NORMAL};
  pipeline->take(std::as_bytes(std::span(&header, 1)));
  pipeline->advance(MonotonicTime(11));
  await();
  pipeline->flush();
  EXPECT_EQ(pipeline->holding().batches, 1u);
  describe();
  pipeline->advance(MonotonicTime(12));
  EXPECT_THAT(names(), ElementsAre("", "web"));

  batches.clear();
  pipeline->publish(CgroupCreated{
      .time = MonotonicTime(1), .cgroup_id = 78, .path = "/docker/" + std::string(64, 'b')});
  act(20, TAPIO_NORMAL, 78);
  EXPECT_THAT(names(), ElementsAre("")) << "nobody asks";
}

TEST_F(NamesTest, what_is_known_is_there_at_once) {
  describe();
  act(10);
  EXPECT_THAT(names(), ElementsAre("web"));
  EXPECT_EQ(pipeline->holding().held, 0u);
}

TEST_F(NamesTest, critical_records_do_not_wait) {
  await();
  act(10);
  act(20, TAPIO_CRITICAL);
  EXPECT_THAT(names(), ElementsAre(""));
  EXPECT_EQ(batches.at(0)->records.at(0).origin.event_class, TAPIO_CRITICAL);
}

TEST_F(NamesTest, nobody_waits_for_a_name_that_will_not_come) {
  await();
  act(10);
  pipeline->publish(ContainerUnnamed{.time = MonotonicTime(11), .id = id});
  pipeline->advance(MonotonicTime(12));
  EXPECT_THAT(names(), ElementsAre(""));
  EXPECT_EQ(pipeline->holding().unnamed, 0u) << "there was none to wait for";
}

TEST_F(NamesTest, no_longer_than_the_longest_hold) {
  await();
  act(10);
  const auto longest = MonotonicTime(10) + Pipeline::kLongestHold;
  pipeline->advance(longest);
  EXPECT_THAT(names(), ElementsAre());
  pipeline->advance(longest + MonotonicTime(2));
  EXPECT_THAT(names(), ElementsAre(""));
  EXPECT_EQ(pipeline->holding().unnamed, 1u);
}

TEST_F(NamesTest, beyond_the_bound_the_oldest_go) {
  await();
  for (std::uint64_t time = 10; pipeline->holding().unnamed == 0 && time < 100'000; time += 2)
    act(time);
  EXPECT_EQ(pipeline->holding().unnamed, 1u);
  EXPECT_LE(pipeline->holding().bytes, Pipeline::kMaxHeldBytes);
  EXPECT_GT(pipeline->holding().bytes, Pipeline::kMaxHeldBytes / 2);
}

TEST_F(NamesTest, the_end_waits_for_nobody) {
  await();
  act(10);
  pipeline->finish();
  EXPECT_THAT(names(), ElementsAre(""));
  EXPECT_EQ(pipeline->holding().batches, 0u);
}

}  // namespace
}  // namespace tapio::agent
