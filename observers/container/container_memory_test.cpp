// SPDX-License-Identifier: Apache-2.0
// What the files say, and what becomes of it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "collected.hpp"
#include "container_memory.hpp"
#include "container_memory_schemas.hpp"
#include "container_observer.hpp"

namespace tapio::container {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMiB = 1 << 20;

TEST(Pressure, is_read_from_both_lines_or_one) {
  const auto both = parse_pressure(
      "some avg10=42.31 avg60=1.00 avg300=0.10 total=1234567\n"
      "full avg10=7.05 avg60=0.00 avg300=0.00 total=89\n");
  ASSERT_TRUE(both);
  EXPECT_DOUBLE_EQ(both->some, 42.31);
  EXPECT_DOUBLE_EQ(both->full, 7.05);
  EXPECT_EQ(both->some_total, 1234567us);
  EXPECT_EQ(both->full_total, 89us);
  const auto one = parse_pressure("some avg10=100.00 avg60=0.00 avg300=0.00 total=1\n");
  ASSERT_TRUE(one);
  EXPECT_DOUBLE_EQ(one->some, 100);
}

TEST(Pressure, of_any_other_text_is_none) {
  for (const char* bad :
       {"", "\n", "some", "some avg10=1.00\n", "some total=1\n", "full avg10=1.00 total=1\n",
        "some avg10=1 total=1\n", "some avg10=101.00 total=1\n", "some avg10=-1.00 total=1\n",
        "some avg10=1.0x total=1\n", "some avg10=1.00 total=99999999999999999999\n"})
    EXPECT_FALSE(parse_pressure(bad)) << bad;
}

TEST(Figures, of_v2_are_taken_from_their_files) {
  Figures figures;
  take_memory_stat_v2(
      "anon 100\nfile 900\ninactive_file 500\nactive_file 300\nslab_reclaimable 7\npgscan 44\n"
      "pgscan_kswapd 1\n",
      figures);
  take_memory_events("low 0\nhigh 3\nmax 4\noom 5\noom_kill 6\noom_group_kill 0\n", figures);
  take_cpu_stat("usage_usec 1\nnr_periods 10\nnr_throttled 8\nthrottled_usec 3000\n", figures);
  figures[Figure::memory_usage] = 1000;
  figures[Figure::memory_max] = 2000;
  const auto memory = memory_of(figures);
  EXPECT_EQ(memory.usage, 1000u);
  EXPECT_EQ(memory.max, 2000u);
  EXPECT_EQ(memory.inactive_file, 500u);
  EXPECT_EQ(memory.reclaimable, 807u);
  EXPECT_EQ(memory.scanned, 44u);
  EXPECT_EQ(memory.high, 3u);
  EXPECT_EQ(memory.hits, 4u);
  EXPECT_EQ(memory.oom, 5u);
  EXPECT_EQ(memory.oom_kills, 6u);
  ASSERT_TRUE(memory.cpu);
  EXPECT_EQ(memory.cpu->throttled, 8u);
  EXPECT_EQ(memory.cpu->time, 3ms);
  EXPECT_FALSE(memory.pressure);
  EXPECT_FALSE(memory.swap);
}

TEST(Figures, of_v1_count_what_is_below_too) {
  Figures figures;
  take_memory_stat_v1(
      "inactive_file 1\nactive_file 1\nhierarchical_memory_limit 4096\n"
      "hierarchical_memsw_limit 6096\ntotal_swap 50\ntotal_inactive_file 500\n"
      "total_active_file 300\n",
      figures);
  take_oom_control("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", figures);
  take_cpu_stat("nr_periods 10\nnr_throttled 8\nthrottled_time 3000\n", figures);
  const auto memory = memory_of(figures);
  EXPECT_EQ(memory.inactive_file, 500u);
  EXPECT_EQ(memory.reclaimable, 800u);
  EXPECT_EQ(memory.swap, 50u);
  EXPECT_EQ(memory.swap_max, 2000u);
  EXPECT_EQ(memory.oom_kills, 2u);
  ASSERT_TRUE(memory.cpu);
  EXPECT_EQ(memory.cpu->time, 3us);
  take_memory_stat_v1(
      "hierarchical_memory_limit 9223372036854771712\n"
      "hierarchical_memsw_limit 9223372036854771712\ntotal_inactive_file 1\n",
      figures);
  EXPECT_EQ(memory_of(figures).swap_max, kNoLimit);
}

TEST(Figures, come_back_as_they_were_packed) {
  Figures figures, again;
  figures[Figure::memory_max] = kNoLimit;
  figures[Figure::throttled_ns] = 0;
  Packer pack;
  figures.pack(pack);
  Unpacker unpack(pack.bytes());
  again.unpack(unpack);
  EXPECT_TRUE(unpack.done());
  EXPECT_EQ(again[Figure::memory_max], kNoLimit);
  EXPECT_EQ(again[Figure::throttled_ns], 0u);
  EXPECT_FALSE(again[Figure::swap]);
}

TEST(Node, is_read_from_proc_and_no_file_of_it_has_to_be_there) {
  std::string name = testing::TempDir() + "tapio-node-XXXXXX";
  ASSERT_TRUE(::mkdtemp(name.data()));
  const std::filesystem::path base = name;
  const auto nothing = NodeFiles(live_outside(), base).read(5s);
  EXPECT_EQ(nothing.time, 5s);
  EXPECT_FALSE(nothing.memory || nothing.cpu || nothing.io);
  std::filesystem::create_directories(base / "pressure");
  std::ofstream(base / "pressure/memory")
      << "some avg10=12.50 avg60=0.00 avg300=0.00 total=2\nfull avg10=1.00 avg60=0 total=1\n";
  std::ofstream(base / "meminfo") << "MemTotal:       1000 kB\nMemAvailable:    250 kB\n"
                                     "SwapTotal:         8 kB\nSwapFree:          4 kB\n";
  const auto seen = NodeFiles(live_outside(), base).read(6s);
  std::filesystem::remove_all(base);
  ASSERT_TRUE(seen.memory);
  EXPECT_DOUBLE_EQ(seen.memory->some, 12.5);
  EXPECT_EQ(seen.memory->some_total, 2us);
  EXPECT_FALSE(seen.cpu);
  EXPECT_EQ(seen.memory_total, 1000u * 1024);
  EXPECT_EQ(seen.memory_available, 250u * 1024);
  EXPECT_EQ(seen.swap_free, 4u * 1024);
}

TEST(Pids, are_numbers_in_lines_and_bounded) {
  EXPECT_THAT(parse_pids("1\n22\n333\n"), ElementsAre(1, 22, 333));
  EXPECT_THAT(parse_pids("1\nx\n3\n"), ElementsAre(1));
  EXPECT_THAT(parse_pids("0\n"), IsEmpty());  // of another pid namespace
  std::string many;
  for (std::size_t i = 1; i <= 2 * Consumers::kMaxProcesses; ++i) many += std::to_string(i) + "\n";
  EXPECT_THAT(parse_pids(many), SizeIs(Consumers::kMaxProcesses));
}

class Reports : public testing::Test {
 protected:
  static CgroupMemory reading(int second, std::uint64_t mib, std::uint64_t kills = 0) {
    return {.time = std::chrono::seconds(second),
            .cgroup_id = 7,
            .usage = mib * kMiB,
            .max = 100 * kMiB,
            .reclaimable = 0,
            .swap_max = 0,
            .oom_kills = kills};
  }
  [[nodiscard]] const Record* record(std::string_view name) const {
    const Record* found = nullptr;
    for (const Record& each : out.records)
      if (each.schema->name == name) found = &each;
    return found;
  }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    std::size_t n = 0;
    for (const Record& each : out.records) n += each.schema->name == name;
    return n;
  }

  MemoryReports reports{{}};
  Collected out;
};

TEST_F(Reports, a_counter_of_kills_that_rises_is_an_event_with_the_state_before) {
  NodePressure node{.time = 1s, .memory = Pressure{.some = 3}, .memory_available = 5 * kMiB};
  reports.take(node, out);
  auto before = reading(1, 99);
  before.pressure = Pressure{.some = 80, .full = 60};
  before.hits = 12;
  reports.take(before, out);
  EXPECT_EQ(record("container.memory.oom_kill"), nullptr);
  reports.take(reading(2, 10, 2), out);
  ASSERT_NE(record("container.memory.oom_kill"), nullptr);
  EXPECT_EQ(out.get<std::uint64_t>("count"), 2u);
  EXPECT_EQ(out.get<std::chrono::nanoseconds>("container.memory.before"), 1s);
  EXPECT_EQ(out.get<std::uint64_t>("container.memory.usage.before"), 99 * kMiB);
  EXPECT_EQ(out.get<std::uint64_t>("container.memory.usage"), 10 * kMiB);
  EXPECT_EQ(out.get<double>("container.memory.pressure.some"), 80);
  EXPECT_EQ(out.get<double>("system.memory.pressure.some"), 3);
  EXPECT_EQ(out.get<std::uint64_t>("system.linux.memory.available"), 5 * kMiB);
  EXPECT_EQ(out.only<CgroupMemory>().evidence, out.records.back().id);
}

TEST_F(Reports, kills_from_before_the_first_reading_are_none) {
  reports.take(reading(1, 99, 5), out);
  reports.take(reading(2, 99, 5), out);
  EXPECT_EQ(record("container.memory.oom_kill"), nullptr);
}

TEST_F(Reports, a_ramp_is_predicted_once_and_its_end_is_told) {
  int second = 1;
  for (; second <= 40; ++second) reports.take(reading(second, 40 + 1 * second), out);
  ASSERT_EQ(count("container.memory.oom_predicted"), 1u);
  const Detected* detected = nullptr;
  for (const Fact& fact : out.facts)
    if (const auto* each = std::get_if<Detected>(&fact)) detected = each;
  ASSERT_NE(detected, nullptr);
  EXPECT_EQ(detected->what, Detection::oom_predicted);
  EXPECT_EQ(detected->cgroup_id, 7u);
  EXPECT_EQ(detected->severity, Severity::warning);
  EXPECT_EQ(detected->evidence, record("container.memory.oom_predicted")->id);
  EXPECT_THAT(std::string(detected->detail), HasSubstr("readings in"));
  for (; second <= 60; ++second) reports.take(reading(second, 80), out);
  ASSERT_EQ(count("container.memory.oom_prediction.ended"), 1u);
  EXPECT_EQ(out.text("reason"), "growth_ended");
  EXPECT_EQ(count("container.memory.oom_predicted"), 1u);
}

TEST_F(Reports, records_come_in_an_interval_for_those_under_pressure_first) {
  reports.configure({.largest = 2});
  for (std::uint64_t id = 1; id <= 5; ++id) {
    auto each = reading(1, 10 * id);
    each.cgroup_id = id;
    each.inactive_file = 0;
    if (id == 1) each.pressure = Pressure{.some = 90};
    reports.take(each, out);
  }
  reports.tell(1s, out);
  ASSERT_EQ(count("container.memory"), 2u);
  EXPECT_EQ(out.records[out.records.size() - 2].origin.cgroup_id, 1u);
  EXPECT_EQ(out.records.back().origin.cgroup_id, 5u);
  EXPECT_EQ(out.get<std::uint64_t>("container.memory.available"), 50 * kMiB);
  reports.tell(2s, out);
  reports.tell(20s, out);
  EXPECT_EQ(count("container.memory"), 2u) << "not before its time, and not what was told";
}

TEST_F(Reports, forget_the_one_that_was_read_longest_ago_and_count_it) {
  for (std::uint64_t id = 1; id <= MemoryReports::kMaxCgroups + 3; ++id) {
    auto each = reading(1, 10);
    each.cgroup_id = id;
    reports.take(each, out);
  }
  EXPECT_EQ(reports.evicted(), 3u);
}

}  // namespace
}  // namespace tapio::container
