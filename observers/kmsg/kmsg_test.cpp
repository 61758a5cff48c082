// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <ranges>

#include "collected.hpp"
#include "kmsg_line.hpp"
#include "kmsg_logs.hpp"
#include "kmsg_observer.hpp"

namespace tapio::kmsg {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPage = 4096, kKiB = 1024, kMiB = 1 << 20;
constexpr MonotonicTime kStart = 100s, kTick = 101s;

// Records as /dev/kmsg would give them, one a line.
class Given final : public Log {
 public:
  Read next(std::string_view& record) override {
    if (records.empty()) return Read::end;
    current_ = records.front();
    records.pop_front();
    if (current_ == "overwritten") return Read::overwritten;
    if (current_ == "unreadable") return Read::unreadable;
    record = current_;
    return Read::record;
  }
  std::deque<std::string> records;

 private:
  std::string current_;
};

class Kmsg : public testing::Test {
 protected:
  explicit Kmsg(const Config& config = {}) {
    auto log = std::make_unique<Given>();
    given = log.get();
    observer = std::make_unique<KmsgObserver>(config, std::move(log), kStart, kPage);
  }
  void log(std::string_view lines) {
    while (!lines.empty()) {
      const auto end = lines.find('\n');
      given->records.emplace_back(lines.substr(0, end));
      lines.remove_prefix(end == lines.npos ? lines.size() : end + 1);
    }
  }
  // Of the kernel, in order.
  void say(std::string_view text, int priority = 6) {
    given->records.push_back(fmt::format("{},{},100500000,-;{}\n", priority, sequence++, text));
  }
  void read(MonotonicTime now = kTick) { observer->on_tick(now, out); }
  std::vector<OomReported> reports() {
    std::vector<OomReported> list;
    for (const Fact& fact : out.facts)
      if (const auto* report = std::get_if<OomReported>(&fact)) list.push_back(*report);
    return list;
  }
  OomReported only() {
    read();
    const auto list = reports();
    EXPECT_EQ(list.size(), 1u);
    return list.empty() ? OomReported{} : list.front();
  }
  void say_head(std::string_view invoker = "nginx") {
    say(fmt::format("{} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
                    invoker));
  }
  void say_table(std::initializer_list<std::pair<int, std::string_view>> rows) {
    say("Tasks state (memory values in pages):");
    say("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name");
    for (const auto& [pid, name] : rows)
      say(fmt::format("[{:7}]     0 {:5}     1275 {:8}    45056        0             0 {}", pid,
                      pid, pid, name));
  }
  void say_choice(std::string_view paths, std::string_view name, int pid,
                  std::string_view constraint = "CONSTRAINT_MEMCG") {
    say(fmt::format(
        "oom-kill:constraint={},nodemask=(null),cpuset=/,mems_allowed=0{},task={},pid={},uid=0",
        constraint, paths, name, pid));
  }
  void say_killed(std::string_view name, int pid,
                  std::string_view prefix = "Memory cgroup out of") {
    say(
        fmt::format("{} memory: Killed process {} ({}) total-vm:13332kB, anon-rss:12160kB, "
                    "file-rss:544kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0",
                    prefix, pid, name));
  }

  Given* given = nullptr;
  std::unique_ptr<KmsgObserver> observer;
  Collected out;
  std::uint64_t sequence = 500;
};

TEST_F(Kmsg, a_limit_of_a_cgroup_above_the_victims_on_cgroup_v1) {
  log(kLog618);
  const auto report = only();
  EXPECT_EQ(report.victim_pid, 3260u);
  EXPECT_EQ(report.victim_name, "hog");
  EXPECT_EQ(report.victim_uid, 0u);
  EXPECT_TRUE(report.in_cgroup);
  EXPECT_EQ(report.constraint, "CONSTRAINT_MEMCG");
  EXPECT_EQ(report.oom_memcg, "/tapio-oomdev");
  EXPECT_EQ(report.task_memcg, "/tapio-oomdev/inner");
  EXPECT_EQ(report.invoker, "hog");
  EXPECT_EQ(report.invoker_pid, 3260u);
  EXPECT_EQ(report.chosen_pid, 3260u);
  EXPECT_EQ(report.total_vm, 13332 * kKiB);
  EXPECT_EQ(report.anon_rss, 12160 * kKiB);
  EXPECT_EQ(report.file_rss, 544 * kKiB);
  ASSERT_TRUE(report.usage_logged);
  EXPECT_EQ(report.usage, 16 * kMiB);
  EXPECT_EQ(report.limit, 16 * kMiB);
  EXPECT_EQ(report.failures, 78u);
  ASSERT_TRUE(report.swap_logged);
  EXPECT_TRUE(report.swap_with_memory);
  EXPECT_EQ(report.swap_usage, 16 * kMiB);
  EXPECT_EQ(report.swap_limit, kNoLimit);
  EXPECT_EQ(report.tasks_seen, 2u);
  ASSERT_EQ(report.tasks.size(), 2u);
  EXPECT_EQ(report.tasks[0].pid, 3260u);
  EXPECT_EQ(report.tasks[0].name, "hog");
  EXPECT_EQ(report.tasks[0].rss, 3176 * kPage);
  EXPECT_EQ(report.tasks[0].page_tables, 61440u);
  EXPECT_EQ(report.tasks[1].name, "na,pid=1)me");
}

TEST_F(Kmsg, the_columns_of_an_older_kernel_on_cgroup_v2) {
  log(kLog510);
  const auto report = only();
  EXPECT_EQ(report.victim_pid, 150u);
  EXPECT_EQ(report.oom_memcg, "/tapio");
  EXPECT_EQ(report.task_memcg, "/tapio/inner");
  EXPECT_EQ(report.invoker_pid, 150u);
  EXPECT_EQ(report.shmem_rss, 648 * kKiB);
  EXPECT_TRUE(report.swap_logged);
  EXPECT_FALSE(report.swap_with_memory);
  EXPECT_EQ(report.swap_limit, kNoLimit);
  ASSERT_EQ(report.tasks.size(), 2u);
  EXPECT_EQ(report.tasks[0].rss, 3183 * kPage);
  EXPECT_EQ(report.tasks[0].page_tables, 69632u);
}

TEST_F(Kmsg, the_node_as_a_whole) {
  log(kLog61);
  const auto report = only();
  EXPECT_EQ(report.victim_pid, 164u);
  EXPECT_FALSE(report.in_cgroup);
  EXPECT_EQ(report.constraint, "CONSTRAINT_NONE");
  EXPECT_EQ(report.oom_memcg, "");
  EXPECT_EQ(report.task_memcg, "/");
  EXPECT_FALSE(report.usage_logged);
  EXPECT_EQ(report.tasks_seen, 4u);
  EXPECT_EQ(report.tasks[0].rss, 46612 * kPage);
}

TEST_F(Kmsg, all_of_a_cgroup_each_victim_once) {
  log(kLog72);
  read();
  const auto list = reports();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].victim_pid, 178u);
  EXPECT_EQ(list[0].group, "");
  EXPECT_EQ(list[1].victim_pid, 176u);
  EXPECT_EQ(list[1].group, "/group");
  for (const auto& report : list) {
    EXPECT_EQ(report.chosen_pid, 178u);
    EXPECT_EQ(report.oom_memcg, "/group");
    EXPECT_EQ(report.tasks.size(), 2u);
  }
}

TEST_F(Kmsg, the_record_carries_the_figures_in_bytes) {
  log(kLog618);
  read();
  ASSERT_EQ(out.records.size(), 1u);
  const Record& record = out.records.front();
  EXPECT_EQ(record.schema->name, "kernel.oom.report");
  EXPECT_EQ(record.origin.pid, 3260u);
  EXPECT_EQ(record.origin.event_class, TAPIO_CRITICAL);
  EXPECT_EQ(record.id, reports().front().evidence);
  EXPECT_EQ(out.get<std::uint64_t>("oom.limit"), 16 * kMiB);
  EXPECT_EQ(out.text("oom.cgroup"), "/tapio-oomdev");
  EXPECT_FALSE(out.known("oom.swap.limit"));
  const auto tasks = out.get<std::span<const std::string_view>>("oom.tasks");
  ASSERT_TRUE(tasks.has_value());
  EXPECT_THAT(*tasks, ElementsAre("3260 hog 13008896", "2031 na,pid=1)me 4751360"));
}

TEST_F(Kmsg, text_that_user_space_writes_is_not_the_kernels) {
  say("x");
  const auto from_user = [&](std::string_view text) { say(text, 1 << 3 | 3); };
  from_user(
      "Memory cgroup out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, "
      "file-rss:1kB, shmem-rss:1kB, UID:0 pgtables:1kB oom_score_adj:0");
  read();
  EXPECT_THAT(out.facts, IsEmpty());
}

TEST_F(Kmsg, names_that_look_like_the_kernels_words_fool_nobody) {
  for (const std::string_view name : {",pid=1,uid=0", ",task=b,pid=2", ") total-vm:1kB", "a (b) c",
                                      " leading", "x, anon-rss:9kB", "", "\\x0a\\x5c"}) {
    out.facts.clear();
    say_head("y");
    say_table({{77, name}});
    say_choice(",oom_memcg=/a,task_memcg=/a/b", name, 77);
    say_killed(name, 77);
    const auto report = only();
    EXPECT_EQ(report.victim_pid, 77u) << name;
    EXPECT_EQ(report.victim_name, name == "\\x0a\\x5c" ? "\n\\" : name);
    EXPECT_EQ(report.anon_rss, 12160 * kKiB) << name;
    EXPECT_EQ(report.task_memcg, "/a/b") << name;
    ASSERT_EQ(report.tasks.size(), 1u) << name;
    EXPECT_EQ(report.tasks[0].name, report.victim_name);
  }
}

TEST_F(Kmsg, a_path_that_can_be_read_in_two_ways_is_left_out_unless_the_statistics_name_it) {
  const auto hostile = ",oom_memcg=/a,task_memcg=/a/x,oom_memcg=/a,task_memcg=/a/y";
  say_head();
  say_choice(hostile, "v", 7);
  say_killed("v", 7);
  const auto report = only();
  EXPECT_EQ(report.constraint, "CONSTRAINT_MEMCG");
  EXPECT_EQ(report.oom_memcg, "");
  EXPECT_EQ(report.task_memcg, "");

  out.facts.clear();
  say_head();
  say("Memory cgroup stats for /a,task_memcg=/a:");
  say_choice(",oom_memcg=/a,task_memcg=/a,task_memcg=/a,task_memcg=/a/b", "v", 8);
  say_killed("v", 8);
  const auto named = only();
  EXPECT_EQ(named.oom_memcg, "/a,task_memcg=/a");
  EXPECT_EQ(named.task_memcg, "/a,task_memcg=/a/b");
}

TEST_F(Kmsg, a_report_cut_short_tells_what_it_has) {
  say_killed("v", 7);  // the rest was left out by the rate limit
  const auto bare = only();
  EXPECT_TRUE(bare.in_cgroup);
  EXPECT_EQ(bare.constraint, "");
  EXPECT_EQ(bare.invoker, "");
  EXPECT_THAT(bare.tasks, IsEmpty());

  out.facts.clear();
  say_head("sh");  // vm.oom_dump_tasks is 0
  say("memory: usage 10kB, limit 10kB, failcnt 1");
  say_choice(",oom_memcg=/a,task_memcg=/a", "w", 8);
  say_killed("w", 8);
  const auto without_table = only();
  EXPECT_EQ(without_table.invoker, "sh");
  EXPECT_EQ(without_table.oom_memcg, "/a");
  EXPECT_EQ(without_table.tasks_seen, 0u);
}

TEST_F(Kmsg, a_kill_whose_own_report_was_left_out_does_not_take_that_of_another) {
  log(kLog618);
  read();
  out.facts.clear();
  say_killed("other", 9);
  const auto report = only();
  EXPECT_EQ(report.oom_memcg, "");
  EXPECT_EQ(report.chosen_pid, 0u);
}

TEST_F(Kmsg, two_reports_at_once_are_told_apart_by_the_victim_or_not_at_all) {
  say_head("one");
  say("memory: usage 10kB, limit 10kB, failcnt 1");
  say_head("two");
  say("memory: usage 20kB, limit 20kB, failcnt 2");
  say_choice(",oom_memcg=/a,task_memcg=/a", "x", 1);
  say_choice(",oom_memcg=/b,task_memcg=/b", "y", 2);
  say_killed("y", 2);
  say_killed("x", 1);
  read();
  const auto list = reports();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].victim_pid, 2u);
  EXPECT_EQ(list[0].oom_memcg, "/b");
  EXPECT_EQ(list[1].victim_pid, 1u);
  for (const auto& report : list) {
    EXPECT_EQ(report.invoker, "");
    EXPECT_FALSE(report.usage_logged);
  }
}

TEST_F(Kmsg, a_gap_ends_a_report_that_is_under_way_and_is_counted) {
  say_head("gone");
  given->records.emplace_back("overwritten");
  sequence += 40;
  say_choice(",oom_memcg=/a,task_memcg=/a", "x", 1);
  say_killed("x", 1);
  read();
  const auto report = reports().front();
  EXPECT_EQ(report.invoker, "");
  EXPECT_EQ(observer->lost(), 40u);
  const auto& lost = out.only<Lost>();
  EXPECT_EQ(lost.count, 40u);
  EXPECT_EQ(lost.from, kStart);
  EXPECT_EQ(lost.to, kTick);
  EXPECT_EQ(out.records.back().schema->name, "kernel.log.lost");
  read(kTick + 1s);
  EXPECT_EQ(out.records.size(), 2u);  // told once
}

TEST_F(Kmsg, an_attempt_without_a_victim_lends_its_lines_to_nobody) {
  say_head("first");
  say("Memory cgroup out of memory: OOM victim 12 (x) is already exiting. Skip killing the task");
  say_killed("later", 13);
  EXPECT_EQ(only().invoker, "");
}

TEST_F(Kmsg, the_victims_thread_stands_for_its_process) {
  say_head();
  say("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name");
  say("[    812]     0   800     1275     1138    45056        0             0 worker");
  say_choice(",oom_memcg=/a,task_memcg=/a", "worker", 812);
  say_killed("worker", 812);
  EXPECT_EQ(only().victim_pid, 800u);
}

TEST_F(Kmsg, of_a_long_table_the_largest_are_kept) {
  say_head();
  say("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name");
  for (int i = 1; i <= 500; ++i)
    say(fmt::format("[{:7}]     0 {:5}     1275 {:8}    45056        0             0 t", i, i, i));
  say_killed("t", 3);
  const auto report = only();
  EXPECT_EQ(report.tasks_seen, 500u);
  ASSERT_EQ(report.tasks.size(), OomReported::kMaxTasks);
  EXPECT_EQ(report.tasks.front().pid, 500u);
  EXPECT_EQ(report.tasks.back().pid, 437u);
}

TEST_F(Kmsg, a_time_is_never_later_than_now_nor_before_all_had_been_read) {
  say_killed("v", 7);
  EXPECT_EQ(only().time, 100'500ms);
  out.facts.clear();
  given->records.emplace_back(
      "3,501,1,-;Out of memory: Killed process 8 (w) total-vm:1kB, anon-rss:1kB, file-rss:1kB, "
      "shmem-rss:1kB, UID:0 pgtables:1kB oom_score_adj:0\n");
  read(kTick + 1s);
  EXPECT_EQ(reports().front().time, kTick);  // printk's clock is behind
  out.facts.clear();
  given->records.emplace_back(
      "3,502,999999999999,-;Out of memory: Killed process 9 (w) total-vm:1kB, anon-rss:1kB, "
      "file-rss:1kB, shmem-rss:1kB, UID:0 pgtables:1kB oom_score_adj:0\n");
  read(kTick + 2s);
  EXPECT_EQ(reports().front().time, kTick + 2s);
}

TEST_F(Kmsg, what_is_no_record_is_counted) {
  for (const char* bad : {"", "x", "6,1,2,-", "a,1,2,-;t", "6,1;t", "6,-1,2,-;t", "unreadable"})
    given->records.emplace_back(bad);
  read();
  EXPECT_EQ(observer->malformed(), 7u);
  EXPECT_THAT(out.facts, IsEmpty());
}

class KmsgWithLittleTime : public Kmsg {
 protected:
  KmsgWithLittleTime() : Kmsg({.bytes_per_second = ByteSize{16 << 10}}) {}
};

TEST_F(KmsgWithLittleTime, the_rest_waits_for_the_next_second) {
  const std::string filler(1000, 'x');
  for (int i = 0; i < 20; ++i) say(filler);
  say_killed("v", 7);
  read();
  EXPECT_THAT(reports(), IsEmpty());
  read(kTick + 1s);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports().front().time,
            100'500ms);  // not clamped to a second that was not read to its end
}

TEST_F(KmsgWithLittleTime, a_reload_lets_it_read_more_at_once) {
  auto settings = config::section<Config>();
  settings->as<Config>().bytes_per_second = ByteSize{1 << 20};
  observer->on_settings(*settings);
  const std::string filler(1000, 'x');
  for (int i = 0; i < 20; ++i) say(filler);
  say_killed("v", 7);
  read();
  EXPECT_EQ(reports().size(), 1u);
}

TEST(KmsgLog, that_cannot_be_opened_says_what_to_do) {
  const auto log = open_log(live_outside(), "/nowhere/kmsg");
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().fault, Fault::denied);
  EXPECT_THAT(log.error().what, testing::HasSubstr("give it the device"));
}

std::string left_of(std::string record) {
  leave_oom_alone(record);
  return record;
}

TEST(KmsgLog, keeps_what_reports_are_made_of_and_dots_of_the_rest) {
  for (const auto log : {kLog618, kLog510, kLog61, kLog72})
    for (const auto part : std::views::split(log, '\n')) {
      const std::string line(part.begin(), part.end());
      const auto left = left_of(line);
      EXPECT_EQ(left.size(), line.size());
      if (line.contains("Mem-Info:") || line.contains(";Tasks state") ||
          line.contains(";total_inactive") || line.contains(";anon ") || line.contains(";kmem: "))
        EXPECT_THAT(left, testing::HasSubstr(";....")) << line;
      else
        EXPECT_EQ(left, line);
    }
  EXPECT_EQ(left_of("5,9,77,-;audit: type=1309 a1=\"-phunter2\"\n SUBSYSTEM=x\n"),
            "5,9,77,-;" + std::string(31, '.') + "\n" + std::string(12, '.') + "\n");
  EXPECT_EQ(left_of("30,9,77,-;Out of memory: said by a user\n"),
            "30,9,77,-;" + std::string(29, '.') + "\n");
  EXPECT_EQ(left_of("6,9,77,-;Out of memory: x\n SUBSYSTEM=x\n"),
            "6,9,77,-;Out of memory: x\n" + std::string(12, '.') + "\n");
  EXPECT_EQ(left_of("no head at all"), "no head at all");
  EXPECT_EQ(left_of(""), "");
}

// Says what a recording says.
class Answers final : public Outside {
 public:
  std::string ask(std::string_view, const Look&) override {
    if (answers.empty()) return {};
    auto answer = answers.front();
    answers.pop_front();
    return answer;
  }
  std::deque<std::string> answers{std::string(1, '\0')};  // it was opened
};

TEST(KmsgLog, answers_of_a_recording_take_the_place_of_the_device) {
  Answers answers;
  const auto log = open_log(answers, "/nowhere/kmsg");
  ASSERT_TRUE(log);
  answers.answers = {"r6,1,2,-;x", "o", "u", "?", "e"};
  std::string_view record;
  EXPECT_EQ((*log)->next(record), Log::Read::record);
  EXPECT_EQ(record, "6,1,2,-;x");
  EXPECT_EQ((*log)->next(record), Log::Read::overwritten);
  EXPECT_EQ((*log)->next(record), Log::Read::unreadable);
  EXPECT_EQ((*log)->next(record), Log::Read::end);
  EXPECT_EQ((*log)->next(record), Log::Read::end);
  EXPECT_EQ((*log)->next(record), Log::Read::end);
}

TEST(KmsgLine, is_unescaped_and_ends_before_the_dictionary) {
  const auto line = parse_line("30,7,1234,-,caller=T1;a\\x0ab\\x5cx \\xzz\n SUBSYSTEM=pci\n");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->facility, 3u);
  EXPECT_EQ(line->sequence, 7u);
  EXPECT_EQ(line->microseconds, 1234u);
  EXPECT_EQ(line->text, "a\nb\\x \\xzz");
}

}  // namespace
}  // namespace tapio::kmsg
