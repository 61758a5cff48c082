// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <list>
#include <set>

#include "collected.hpp"
#include "container_hooks.hpp"
#include "container_observer.hpp"
#include "enrich/world.hpp"

namespace tapio::container {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// One cgroup is known in it.
class OneCgroup final : public EmptyWorld {
 public:
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t id) const override {
    return id == known.id ? &known : nullptr;
  }
  Cgroup known;
};

// An event with its path, as the kernel side lays it out.
struct Event {
  std::uint16_t kind = TAPIO_CONTAINER_CREATED;
  std::string path = "/docker/x";
  std::uint32_t original = 0;  // 0: as long as `path`
  std::uint64_t time = 5'000'000'000;

  Status feed_to(ContainerObserver& observer, Output& out) const {
    tapio_container_cgroup e{};
    e.header = {.time_ns = time,
                .cgroup_id = 7,
                .tgid = 100,
                .tid = 101,
                .size = static_cast<std::uint16_t>(sizeof e + path.size()),
                .kind = kind,
                .version = 1,
                .event_class = TAPIO_STATE};
    e.cgroup_id = 42;
    e.path = {sizeof e, static_cast<std::uint16_t>(path.size()),
              original ? original : static_cast<std::uint32_t>(path.size())};
    std::vector<std::byte> bytes(e.header.size);
    std::memcpy(bytes.data(), &e, sizeof e);
    std::memcpy(bytes.data() + sizeof e, path.data(), path.size());
    return observer.on_sample(TRY(wire::open_sample(bytes)), out);
  }
};

ContainerObserver without_watch(Config config = {}) {
  return {config, std::nullopt};
}

TEST(Container, a_new_cgroup_becomes_a_fact_and_a_record_that_say_whose_it_is) {
  auto observer = without_watch();
  OneCgroup world;
  world.known = {.id = 42, .runtime = "docker", .container_id = "x", .unit = "a.service"};
  Collected out(world);
  ASSERT_TRUE(Event{}.feed_to(observer, out));
  const auto& fact = out.only<CgroupCreated>();
  EXPECT_EQ(fact.cgroup_id, 42u);
  EXPECT_EQ(fact.path, "/docker/x");
  EXPECT_EQ(fact.time, 5s);
  ASSERT_THAT(out.records, SizeIs(1));
  EXPECT_EQ(fact.evidence, out.records[0].id);
  EXPECT_EQ(out.records[0].schema, &kCreated);
  EXPECT_EQ(out.records[0].origin.pid, 100u);
  EXPECT_EQ(out.get<std::uint64_t>("tapio.cgroup.id"), 42u);
  EXPECT_EQ(out.text("tapio.cgroup.path"), "/docker/x");
  EXPECT_EQ(out.text("container.runtime.name"), "docker");
  EXPECT_EQ(out.text("container.id"), "x");
  EXPECT_EQ(out.text("systemd.unit"), "a.service");
  EXPECT_FALSE(out.known("k8s.pod.uid"));
}

TEST(Container, the_end_of_a_cgroup_tells_how_long_it_was_there_if_that_is_known) {
  auto observer = without_watch();
  OneCgroup world;
  world.known = {.id = 42, .created = 2s};
  Collected out(world);
  ASSERT_TRUE(Event{.kind = TAPIO_CONTAINER_REMOVED}.feed_to(observer, out));
  EXPECT_EQ(out.only<CgroupRemoved>().cgroup_id, 42u);
  EXPECT_EQ(out.get<std::chrono::nanoseconds>("container.cgroup.lifetime"), 3s);
  world.known.created = {};
  ASSERT_TRUE(Event{.kind = TAPIO_CONTAINER_REMOVED}.feed_to(observer, out));
  EXPECT_FALSE(out.known("container.cgroup.lifetime"));
}

TEST(Container, a_path_that_was_cut_is_shown_and_not_taken_for_the_path) {
  auto observer = without_watch();
  Collected out;
  ASSERT_TRUE((Event{.path = "/a/b", .original = 5}.feed_to(observer, out)));
  EXPECT_EQ(out.only<CgroupCreated>().path, "");
  EXPECT_EQ(out.text("tapio.cgroup.path"), "/a/b…");
}

TEST(Container, records_beyond_the_rate_are_withheld_and_their_facts_are_not) {
  auto observer = without_watch({.rate_per_second = 2});
  Collected out;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Event{}.feed_to(observer, out));
  EXPECT_THAT(out.facts, SizeIs(5));
  EXPECT_THAT(out.records, SizeIs(2));
  EXPECT_EQ(out.rate_limited, 3u);
}

TEST(Container, malformed_samples_are_refused) {
  auto observer = without_watch();
  Collected out;
  EXPECT_FALSE((Event{.kind = 0x0209}.feed_to(observer, out)));
  tapio_container_cgroup e{};
  e.header = {.size = sizeof e, .kind = TAPIO_CONTAINER_CREATED, .version = 1};
  e.path = {.offset = sizeof e, .size = 9, .original = 9};
  const auto feed = [&] {
    return observer.on_sample(*wire::open_sample(std::as_bytes(std::span(&e, 1))), out);
  };
  EXPECT_FALSE(feed());
  e.path = {};
  e.header.version = 2;
  EXPECT_FALSE(feed());
  EXPECT_THAT(out.facts, IsEmpty());
  EXPECT_THAT(out.records, IsEmpty());
}

TEST(Limits, are_numbers_or_none) {
  EXPECT_EQ(parse_limit("max\n"), kNoLimit);
  EXPECT_EQ(parse_limit("67108864\n"), 67108864u);
  EXPECT_EQ(parse_limit("9223372036854771712\n"), kNoLimit) << "v1, pages of 4 KiB";
  EXPECT_EQ(parse_limit("9223372036854710272\n"), kNoLimit) << "v1, pages of 64 KiB";
  for (const char* bad : {"", "\n", "-1\n", "12 \n", "maximum", "1e9", "99999999999999999999999"})
    EXPECT_EQ(parse_limit(bad), std::nullopt) << bad;
}

TEST(Limits, of_the_cpu_are_thousandths_of_it) {
  EXPECT_EQ(parse_cpu_max("max 100000\n"), kNoLimit);
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1500u);
  EXPECT_EQ(parse_cpu_max("1000 1000000\n"), 1u);
  for (const char* bad : {"", "max", "max\n", "100000\n", "1 0\n", "x 1\n", "1 x\n", "1 1 1\n",
                          "18446744073709551615 1\n"})
    EXPECT_EQ(parse_cpu_max(bad), std::nullopt) << bad;
}

// A directory tree that stands for a hierarchy.
class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tapio-watch-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    base = name;
  }
  void TearDown() override { std::filesystem::remove_all(base); }

  void write(const std::string& path, const std::string& file, const std::string& text) {
    std::filesystem::create_directories(base / path);
    std::ofstream(base / path / file) << text;
  }
  CgroupCreated created(const std::string& path, MonotonicTime time = 0s) {
    std::filesystem::create_directories(base / path);
    const Fd directory{::open((base / path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    paths.push_back("/" + path);
    CgroupCreated fact{.time = time,
                       .evidence = time.count() ? RecordId{1, 1} : RecordId{},
                       .cgroup_id = capture::cgroup_id_of(directory.get()),
                       .path = paths.back()};
    world.apply(fact);
    return fact;
  }
  Watch watch(const Config& config = {}, std::uint32_t subsystem = TAPIO_CGROUP_V2) {
    auto files = CgroupFiles::open({.subsystem = subsystem, .mount = base});
    EXPECT_TRUE(files);
    return {std::move(*files), config};
  }

  KnownWorld world;
  std::filesystem::path base;
  std::list<std::string> paths;
};

TEST_F(WatchTest, memory_is_read_where_there_is_a_limit) {
  auto watch = this->watch();
  const auto limited = created("limited");
  watch.add(limited);
  watch.add(created("free"));
  write("limited", "memory.max", "1000\n");
  write("limited", "memory.current", "600\n");
  write("free", "memory.max", "max\n");
  write("free", "memory.current", "700\n");
  const auto readings = watch.tick(1s, world);
  ASSERT_THAT(readings.memory, SizeIs(1));
  EXPECT_EQ(readings.memory[0].cgroup_id, limited.cgroup_id);
  EXPECT_EQ(readings.memory[0].usage, 600u);
  EXPECT_EQ(readings.memory[0].max, 1000u);
  EXPECT_THAT(watch.tick(1500ms, world).memory, IsEmpty()) << "not before its time";
  EXPECT_THAT(watch.tick(2s, world).memory, SizeIs(1));
  EXPECT_THAT(readings.changes, IsEmpty());
}

TEST_F(WatchTest, a_reload_makes_a_short_interval_count_at_once) {
  auto watch = this->watch({.memory_interval = 1h, .limits_interval = 1h});
  watch.add(created("a"));
  write("a", "memory.max", "1000\n");
  write("a", "memory.current", "600\n");
  EXPECT_THAT(watch.tick(1s, world).memory, SizeIs(1));
  EXPECT_THAT(watch.tick(100s, world).memory, IsEmpty());
  watch.configure({.memory_interval = 1s});
  EXPECT_THAT(watch.tick(101s, world).memory, SizeIs(1));
  EXPECT_THAT(watch.tick(102s, world).memory, SizeIs(1));
  watch.configure({.memory = false, .limits = false});
  EXPECT_THAT(watch.tick(200s, world).memory, IsEmpty());
}

TEST_F(WatchTest, v1_has_other_names_for_the_same) {
  auto watch = this->watch({}, 4);
  watch.add(created("a"));
  write("a", "memory.limit_in_bytes", "4096\n");
  write("a", "memory.usage_in_bytes", "100\n");
  const auto readings = watch.tick(1s, world);
  ASSERT_THAT(readings.memory, SizeIs(1));
  EXPECT_EQ(readings.memory[0].max, 4096u);
}

TEST_F(WatchTest, a_limit_that_is_another_one_is_told_once_with_both) {
  auto watch = this->watch();
  watch.add(created("a"));
  write("a", "memory.max", "1000\n");
  write("a", "memory.current", "1\n");
  write("a", "cpu.max", "max 100000\n");
  write("a", "pids.max", "100\n");
  EXPECT_THAT(watch.tick(1s, world).changes, IsEmpty());
  write("a", "memory.max", "500\n");
  write("a", "cpu.max", "50000 100000\n");
  write("a", "pids.max", "max\n");
  const auto at_once = watch.tick(2s, world);
  ASSERT_THAT(at_once.changes, SizeIs(1));
  EXPECT_EQ(at_once.changes[0].limit, "memory.max");
  EXPECT_EQ(at_once.changes[0].before, 1000u);
  EXPECT_EQ(at_once.changes[0].after, 500u);
  EXPECT_EQ(at_once.changes[0].since, 1s);
  const auto later = watch.tick(6s, world);
  ASSERT_THAT(later.changes, SizeIs(2));
  EXPECT_EQ(later.changes[0].limit, "cpu.max");
  EXPECT_EQ(later.changes[0].before, kNoLimit);
  EXPECT_EQ(later.changes[0].after, 500u);
  EXPECT_EQ(later.changes[1].limit, "pids.max");
  EXPECT_EQ(later.changes[1].after, kNoLimit);
  EXPECT_THAT(watch.tick(60s, world).changes, IsEmpty());
}

TEST_F(WatchTest, the_limits_that_a_runtime_sets_after_the_beginning_are_no_change) {
  auto watch = this->watch();
  watch.add(created("a", 10s));
  write("a", "memory.max", "2000\n");
  write("a", "memory.current", "1\n");
  EXPECT_THAT(watch.tick(10500ms, world).changes, IsEmpty());
  write("a", "memory.max", "1000\n");
  EXPECT_THAT(watch.tick(12s, world).changes, IsEmpty());
  write("a", "memory.max", "3000\n");
  EXPECT_THAT(watch.tick(13s, world).changes, SizeIs(1));
}

TEST_F(WatchTest, another_cgroup_of_the_same_path_is_not_read_for_the_first) {
  auto watch = this->watch();
  auto other = created("a");
  other.cgroup_id++;
  world.apply(other);
  watch.add(other);
  write("a", "memory.max", "1000\n");
  write("a", "memory.current", "1\n");
  EXPECT_THAT(watch.tick(1s, world).memory, IsEmpty());
  EXPECT_EQ(watch.size(), 0u);
}

TEST_F(WatchTest, what_is_removed_is_read_no_more_in_either_state) {
  auto watch = this->watch();
  const auto limited = created("limited"), free = created("free");
  write("limited", "memory.max", "1000\n");
  write("limited", "memory.current", "1\n");
  watch.add(limited);
  watch.add(free);
  (void)watch.tick(1s, world);
  watch.remove(limited.cgroup_id);
  watch.remove(free.cgroup_id);
  watch.remove(free.cgroup_id);
  EXPECT_EQ(watch.size(), 0u);
  EXPECT_THAT(watch.tick(2s, world).memory, IsEmpty());
}

TEST_F(WatchTest, no_more_than_so_many_are_read_in_a_second_and_all_get_their_turn) {
  auto watch = this->watch({.readings_per_second = 4});
  for (int i = 0; i < 12; ++i) {
    const auto name = "c" + std::to_string(i);
    write(name, "memory.max", "1000\n");
    write(name, "memory.current", "1\n");
    watch.add(created(name));
  }
  std::set<std::uint64_t> seen;
  for (int second = 1; second <= 16; ++second) {
    const auto readings = watch.tick(std::chrono::seconds(second), world);
    EXPECT_LE(readings.memory.size(), 4u);
    for (const auto& reading : readings.memory) seen.insert(reading.cgroup_id);
  }
  EXPECT_THAT(seen, SizeIs(12));
}

TEST_F(WatchTest, cgroups_that_are_mounted_later_are_read_from_then_on) {
  bool mounted = false;
  int tries = 0;
  ContainerObserver observer({}, std::nullopt, [&](const Config& config) {
    tries++;
    return mounted ? std::optional(this->watch(config)) : std::nullopt;
  });
  Collected out(world);
  const auto early = created("early", 1s);
  observer.on_fact(early, out);
  observer.on_fact(early, out);
  EXPECT_EQ(tries, 1) << "not at every fact";
  mounted = true;
  const auto late = created("late", 7s);
  write("late", "memory.max", "1000\n");
  write("late", "memory.current", "600\n");
  observer.on_fact(late, out);
  observer.on_tick(10s, out);
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(out.only<CgroupMemory>().cgroup_id, late.cgroup_id);
}

// Keeps what was answered, or gives it back.
class Tape final : public Outside {
 public:
  std::string ask(std::string_view, const Look& look) override {
    if (!playing) return answers.emplace_back(look());
    auto answer = answers.empty() ? std::string() : answers.front();
    if (!answers.empty()) answers.pop_front();
    return answer;
  }
  std::deque<std::string> answers;
  bool playing = false;
};

TEST_F(WatchTest, a_replay_reads_no_file_and_sees_the_same) {
  Tape tape;
  Watch live(CgroupFiles::open({.mount = base}).value(), {}, tape);
  Watch replay(std::nullopt, {}, tape);
  const auto a = created("a"), b = created("b");
  for (Watch* watch : {&live, &replay}) {
    watch->add(a);
    watch->add(b);
  }
  write("a", "memory.max", "1000\n");
  write("a", "memory.current", "600\n");
  const auto first = live.tick(1s, world);
  write("a", "memory.max", "500\n");
  std::filesystem::remove_all(base / "b");
  const auto second = live.tick(6s, world);
  ASSERT_THAT(second.changes, SizeIs(1));
  std::filesystem::remove_all(base);
  tape.playing = true;
  EXPECT_EQ(replay.tick(1s, world).memory.at(0).usage, first.memory.at(0).usage);
  const auto again = replay.tick(6s, world);
  ASSERT_THAT(again.changes, SizeIs(1));
  EXPECT_EQ(again.changes[0].after, second.changes[0].after);
  EXPECT_EQ(again.memory.at(0).max, 500u);
  EXPECT_EQ(replay.size(), live.size());
  EXPECT_THAT(tape.answers, IsEmpty());
  EXPECT_THAT(replay.tick(60s, world).memory, IsEmpty()) << "an answer that is none: it is gone";
}

TEST_F(WatchTest, the_observer_reads_what_facts_tell_it_of) {
  ContainerObserver observer({.records = false}, watch());
  Collected out(world);
  const auto fact = created("a");
  write("a", "memory.max", "1000\n");
  write("a", "memory.current", "1\n");
  observer.on_fact(fact, out);
  observer.on_tick(1s, out);
  EXPECT_EQ(out.only<CgroupMemory>().usage, 1u);
  write("a", "memory.max", "max\n");
  observer.on_tick(2s, out);
  const auto& change = out.only<CgroupLimitChanged>();
  ASSERT_THAT(out.records, SizeIs(1));
  EXPECT_EQ(change.evidence, out.records[0].id);
  EXPECT_EQ(out.records[0].schema, &kLimitChanged);
  EXPECT_EQ(out.text("container.limit.name"), "memory.max");
  EXPECT_EQ(out.get<std::uint64_t>("container.limit.before"), 1000u);
  EXPECT_FALSE(out.known("container.limit.after"));
  observer.on_fact(CgroupRemoved{.cgroup_id = fact.cgroup_id}, out);
  const auto facts = out.facts.size();
  observer.on_tick(20s, out);
  EXPECT_EQ(out.facts.size(), facts);
}

// The kernel choice table.
TEST(Container, the_best_programs_that_a_kernel_has_are_taken) {
  using capture::Feature;
  const auto programs = [](Feature features) {
    std::vector<std::string> names;
    for (const auto& choice : capture::choose(kHooks, {.features = features}))
      names.emplace_back(choice.program ? choice.program : "none");
    return names;
  };
  EXPECT_THAT(programs(Feature::btf | Feature::raw_tp | Feature::tp_btf),
              ElementsAre("created_btf", "removed_btf", "moved_btf"));
  EXPECT_THAT(programs(Feature::btf | Feature::raw_tp),
              ElementsAre("created_raw", "removed_raw", "moved_raw"));
  EXPECT_THAT(programs(Feature::raw_tp), ElementsAre("none", "none", "none"));
}

TEST(Container, a_ring_that_is_no_power_of_two_is_refused) {
  EXPECT_TRUE(Config{}.check());
  EXPECT_FALSE((Config{.ring = ByteSize{100'000}}.check()));
}

}  // namespace
}  // namespace tapio::container
