// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "collected.hpp"
#include "temporary.hpp"
#include "usage_observer.hpp"
#include "usage_schemas.hpp"

namespace tapio::usage {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPage = 4096;

// Processes 1 to 9 are in cgroup 7, others in none that is known.
class SomeProcesses final : public EmptyWorld {
 public:
  [[nodiscard]] const Process* process(ProcessId id) const override {
    return id.pid < 10 ? &known_ : nullptr;
  }

 private:
  Process known_ = [] {
    Process process;
    process.cgroup_id = 7;
    return process;
  }();
};

class Usages : public testing::Test {
 protected:
  // As proc(5) has it.
  void process(std::uint32_t pid, const std::string& name, std::uint64_t ticks, std::uint64_t pages,
               std::uint64_t start = 100) {
    std::filesystem::create_directories(directory(pid));
    std::ofstream(directory(pid) + "/stat")
        << fmt::format("{} ({}) S 1 1 1 0 -1 0 0 0 0 0 {} 0 0 0 20 0 1 0 {} 0 {} 0\n", pid, name,
                       ticks, start, pages);
  }
  void gone(std::uint32_t pid) { std::filesystem::remove_all(directory(pid)); }
  std::string directory(std::uint32_t pid) { return proc_.file(std::to_string(pid).c_str()); }

  UsageObserver observer(Config config = {}) {
    const std::string path = std::filesystem::path(proc_.file("x")).parent_path();
    return {config,
            Files(Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), live_outside()),
            kPage};
  }
  // What was said of a program: processes, CPUs in hundredths, pages.
  using Said = std::tuple<std::string, std::uint64_t, int, std::uint64_t>;
  std::vector<Said> said(const Schema& schema) {
    std::vector<Said> all;
    for (const Record& record : out_.records) {
      if (record.schema != &schema) continue;
      const auto* name = std::get_if<std::string_view>(&record.values[0]);
      const auto* id = std::get_if<std::uint64_t>(&record.values[0]);
      all.emplace_back(name ? std::string(*name)
                       : id ? std::to_string(*id)
                            : "-",
                       std::get<std::uint64_t>(record.values[2]),
                       std::lround(100 * std::get<double>(record.values[3])),
                       std::get<std::uint64_t>(record.values[4]) / kPage);
    }
    return all;
  }

  Temporary proc_;
  SomeProcesses world_;
  Collected out_{world_};
};

TEST_F(Usages, are_of_an_interval_and_so_the_first_round_tells_nothing) {
  process(1, "init", 500, 3);
  auto one = observer();
  one.on_tick(100s, out_);
  EXPECT_THAT(out_.records, IsEmpty());
  process(1, "init", 750, 4);
  one.on_tick(105s, out_);
  EXPECT_THAT(out_.records, IsEmpty()) << "not yet";
  one.on_tick(110s, out_);
  EXPECT_THAT(said(kProgram), ElementsAre(Said("init", 1, 25, 4)));
  EXPECT_THAT(said(kCgroup), ElementsAre(Said("7", 1, 25, 4)));
  EXPECT_EQ(out_.records[0].origin.time, 110s);
  EXPECT_EQ(std::get<std::chrono::nanoseconds>(out_.records[0].values[1]), 10s);
  EXPECT_EQ(out_.records[1].origin.cgroup_id, 7u);
}

TEST_F(Usages, are_summed_up_by_name_and_by_cgroup) {
  process(1, "sh", 0, 1);
  process(2, "sh", 0, 2);
  process(20, "sh", 0, 4);
  auto one = observer();
  one.on_tick(100s, out_);
  process(1, "sh", 100, 1);
  process(2, "sh", 200, 2);
  process(20, "sh", 400, 4);
  one.on_tick(110s, out_);
  EXPECT_THAT(said(kProgram), ElementsAre(Said("sh", 3, 70, 7)));
  EXPECT_THAT(said(kCgroup), ElementsAre(Said("7", 2, 30, 3), Said("-", 1, 40, 4)));
}

TEST_F(Usages, count_all_the_time_of_a_process_that_began_since) {
  process(1, "old", 1'000'000, 1);
  auto one = observer();
  one.on_tick(100s, out_);
  process(2, "new", 50, 1);
  gone(1);
  process(1, "again", 30, 1, 999);  // another one with the pid
  one.on_tick(110s, out_);
  EXPECT_THAT(said(kProgram), ElementsAre(Said("again", 1, 3, 1), Said("new", 1, 5, 1)));
}

TEST_F(Usages, of_the_largest_have_a_record_and_the_others_one_together) {
  for (std::uint32_t i = 1; i <= 8; ++i) process(i, fmt::format("p{}", i), 0, i == 3 ? 900 : i);
  auto one = observer({.largest = 2});
  one.on_tick(100s, out_);
  for (std::uint32_t i = 1; i <= 8; ++i)
    process(i, fmt::format("p{}", i), 100 * i, i == 3 ? 900 : i);
  one.on_tick(110s, out_);
  EXPECT_THAT(said(kProgram),
              ElementsAre(Said("p3", 1, 30, 900), Said("p7", 1, 70, 7), Said("p8", 1, 80, 8),
                          Said("(others)", 5, 10 + 20 + 40 + 50 + 60, 1 + 2 + 4 + 5 + 6)));
}

TEST_F(Usages, are_read_some_of_them_in_each_second) {
  for (std::uint32_t i = 1; i <= 50; ++i) process(i, "p", 0, 1);
  auto one = observer({.processes_per_second = 16});
  for (int second = 0; second < 4; ++second) one.on_tick(100s + second * 1s, out_);
  for (int second = 10; second < 13; ++second) one.on_tick(100s + second * 1s, out_);
  EXPECT_THAT(out_.records, IsEmpty());
  one.on_tick(113s, out_);
  EXPECT_THAT(said(kProgram), ElementsAre(Said("p", 50, 0, 50)));
}

TEST_F(Usages, leave_out_who_is_gone_or_dead_or_cannot_be_read) {
  process(1, "p", 0, 1);
  process(2, "q", 0, 1);
  process(4, "kthread", 0, 0);
  std::filesystem::create_directories(directory(3));
  std::ofstream(directory(3) + "/stat") << "3 (z) Z 1";
  auto one = observer();
  one.on_tick(100s, out_);
  gone(2);
  one.on_tick(110s, out_);
  EXPECT_THAT(said(kProgram), ElementsAre(Said("p", 1, 0, 1), Said("(others)", 1, 0, 0)));
}

TEST_F(Usages, say_nothing_without_a_process_to_see) {
  auto one = observer();
  for (int second = 0; second < 40; ++second) one.on_tick(100s + second * 1s, out_);
  EXPECT_THAT(out_.records, IsEmpty());
}

}  // namespace
}  // namespace tapio::usage
