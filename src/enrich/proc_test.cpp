// SPDX-License-Identifier: Apache-2.0
#include "enrich/proc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace tapio::proc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

std::string stat_line(std::string_view name, std::uint32_t parent, std::uint64_t start,
                      char state = 'S', int threads = 1) {
  std::string line = "42 (" + std::string(name) + ") " + state + ' ' + std::to_string(parent);
  for (int field = 5; field <= 52; ++field) {
    line += ' ';
    line += field == 20   ? std::to_string(threads)
            : field == 22 ? std::to_string(start)
            : field == 14 ? "30"
            : field == 15 ? "12"
            : field == 24 ? "7"
            : field == 48 ? "1000"
            : field == 49 ? "1011"
                          : "0";
  }
  return line + "\n";
}

constexpr std::string_view kStatus =
    "Name:\tx\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"
    "NSpid:\t900\t12\t3\nCapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n"
    "CapEff:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000004\n";

// A directory that looks like /proc.
class FakeProc {
 public:
  FakeProc() {
    std::string pattern = (fs::temp_directory_path() / "tapio-proc-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~FakeProc() { fs::remove_all(root_); }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;

  void file(std::uint32_t pid, const std::string& name, std::string_view text) {
    const auto path = root_ / std::to_string(pid) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void link(std::uint32_t pid, const std::string& name, const std::string& to) {
    const auto path = root_ / std::to_string(pid) / name;
    fs::create_directories(path.parent_path());
    fs::create_symlink(to, path);
  }
  void process(std::uint32_t pid, std::uint32_t parent, std::uint64_t start) {
    file(pid, "stat", stat_line("p" + std::to_string(pid), parent, start));
    file(pid, "status", kStatus);
    file(pid, "cmdline", std::string_view("p\0-x\0", 5));
  }
  [[nodiscard]] std::string root() const { return root_.string(); }

 private:
  fs::path root_;
};

std::vector<Snapshot> walk(Seeder& seeder, std::chrono::nanoseconds budget = 1s) {
  std::vector<Snapshot> all;
  while (!seeder.step(budget, [&](const Snapshot& found) { all.push_back(found); })) {
  }
  return all;
}

TEST(Stat, the_name_ends_at_the_last_parenthesis) {
  const auto line = stat_line("a) R 1 (\nevil) Z 0 0", 7, 12345);
  const auto stat = parse_stat(line);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "a) R 1 (\nevil) Z 0 0");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent_pid, 7u);
  EXPECT_EQ(stat->start_ticks, 12345u);
  EXPECT_EQ(stat->args_bytes, 11u);
}

TEST(Stat, tells_time_and_memory) {
  const auto line = stat_line("x", 1, 1);
  const auto stat = parse_stat(line);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu_ticks, 42u);
  EXPECT_EQ(stat->resident_pages, 7u);
}

TEST(Stat, text_without_name_or_with_other_than_numbers_is_refused) {
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("42 (x"));
  EXPECT_FALSE(parse_stat(")("));
  EXPECT_FALSE(parse_stat("42 (x)"));
  EXPECT_FALSE(parse_stat("42 (x) S 1 2 3"));
  EXPECT_FALSE(parse_stat("42 (x) S -1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 5"));
  EXPECT_TRUE(parse_stat("42 (x) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 5"));
  EXPECT_FALSE(parse_stat("42 (x) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 99999999999999999999"));
}

TEST(Stat, a_zombie_leader_whose_threads_go_on_is_alive) {
  EXPECT_TRUE(parse_stat(stat_line("x", 1, 1, 'Z', 1))->dead());
  EXPECT_FALSE(parse_stat(stat_line("x", 1, 1, 'Z', 3))->dead());
  EXPECT_FALSE(parse_stat(stat_line("x", 1, 1, 'D', 1))->dead());
}

TEST(Status, tells_ids_capabilities_and_the_innermost_pid) {
  const auto lines = parse_status(kStatus);
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->credentials, (Credentials{.uid = 1,
                                             .euid = 2,
                                             .suid = 3,
                                             .gid = 5,
                                             .egid = 6,
                                             .sgid = 7,
                                             .effective = 0xa80425fb,
                                             .permitted = 2,
                                             .inheritable = 1,
                                             .bounding = 0x1ffffffffff,
                                             .ambient = 4}));
  EXPECT_EQ(lines->virtual_pid, 3u);
}

TEST(Status, a_malformed_or_missing_identity_is_refused) {
  EXPECT_FALSE(parse_status(""));
  EXPECT_FALSE(parse_status("Name:\tx\n"));
  EXPECT_FALSE(parse_status("Uid:\t1\t2\n"));
  EXPECT_FALSE(parse_status("Uid:\t1\t2\tx\n"));
  EXPECT_FALSE(parse_status("Uid:\t1\t2\t3\nNSpid:\t-4\n"));
  EXPECT_TRUE(parse_status("Uid:\t1\t2\t3"));
}

TEST(Cmdline, is_split_at_each_nul_and_keeps_empty_arguments) {
  EXPECT_THAT(split_cmdline({"a\0\0b c\0", 7}), ElementsAre("a", "", "b c"));
  EXPECT_THAT(split_cmdline("nginx: master"), ElementsAre("nginx: master"));
  EXPECT_THAT(split_cmdline(""), IsEmpty());
  EXPECT_EQ(split_cmdline(std::string(5000, '\0')).size(), kMaxArgs);
}

TEST(Namespace, is_the_inode_number_of_the_link) {
  EXPECT_EQ(parse_namespace("pid:[4026531836]"), 4026531836u);
  EXPECT_EQ(parse_namespace("pid:[]"), 0u);
  EXPECT_EQ(parse_namespace("pid:["), 0u);
  EXPECT_EQ(parse_namespace("net:[1]"), 0u);
  EXPECT_EQ(parse_namespace("pid:[1x]"), 0u);
}

TEST(ProcReader, reads_all_of_one_process) {
  FakeProc proc;
  proc.process(900, 1, 55);
  proc.link(900, "exe", "/usr/bin/p");
  proc.link(900, "ns/pid", "pid:[4026531836]");
  const auto reader = Reader::open(proc.root());
  ASSERT_TRUE(reader);

  const auto found = reader->read(900);

  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->process, (ProcessId{900, 55}));
  EXPECT_EQ(found->parent_pid, 1u);
  EXPECT_EQ(found->virtual_pid, 3u);
  EXPECT_EQ(found->pid_namespace, 4026531836u);
  EXPECT_EQ(found->name, "p900");
  EXPECT_EQ(found->executable, "/usr/bin/p");
  EXPECT_THAT(found->args, ElementsAre("p", "-x"));
  EXPECT_EQ(found->args_bytes, 11u);
}

TEST(ProcReader, a_kernel_thread_has_neither_executable_nor_arguments) {
  FakeProc proc;
  proc.file(2, "stat", stat_line("kworker/0:1-events", 0, 3));
  proc.file(2, "status", kStatus);
  proc.file(2, "cmdline", "");
  const auto found = Reader::open(proc.root())->read(2);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->executable, "");
  EXPECT_THAT(found->args, IsEmpty());
  EXPECT_EQ(found->name, "kworker/0:1-events");
}

TEST(ProcReader, a_long_command_line_is_cut_and_its_length_kept) {
  FakeProc proc;
  proc.process(5, 1, 5);
  proc.file(5, "cmdline", std::string(1 << 20, 'a'));
  const auto found = Reader::open(proc.root())->read(5);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->args.size(), 1u);
  EXPECT_EQ(found->args[0].size(), Reader::kMaxCmdline);
  EXPECT_EQ(found->args_bytes, Reader::kMaxCmdline) << "at least; stat of the fake says less";
}

TEST(ProcReader, who_is_gone_is_unavailable_and_nonsense_is_invalid) {
  FakeProc proc;
  proc.file(6, "stat", "nonsense");
  proc.file(7, "stat", stat_line("half", 1, 1));  // the rest vanished
  proc.file(8, "stat", stat_line("zombie", 1, 1, 'Z'));
  const auto reader = Reader::open(proc.root());
  EXPECT_EQ(reader->read(5).error().fault, Fault::unavailable);
  EXPECT_EQ(reader->read(6).error().fault, Fault::invalid);
  EXPECT_EQ(reader->read(7).error().fault, Fault::unavailable);
  EXPECT_EQ(reader->read(8).error().fault, Fault::unavailable);
}

TEST(ProcReader, the_live_proc_knows_this_test) {
  ASSERT_EQ(::prctl(PR_SET_NAME, "a) b (c\nd", 0, 0, 0), 0);
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const auto found = Reader::open()->read(pid);
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->name, "a) b (c\nd");
  EXPECT_EQ(found->process, *Reader::open()->identify(pid));
  EXPECT_GT(found->process.start_ticks, 0u);
  EXPECT_EQ(found->parent_pid, static_cast<std::uint32_t>(::getppid()));
  EXPECT_EQ(found->credentials.euid, ::geteuid());
  EXPECT_EQ(found->executable, fs::read_symlink("/proc/self/exe").string());
  EXPECT_FALSE(found->args.empty());
  EXPECT_NE(found->pid_namespace, 0u);
}

TEST(Seeder, finds_everybody_with_parents_in_small_steps) {
  FakeProc proc;
  proc.process(1, 0, 1);
  for (std::uint32_t pid = 10; pid < 60; ++pid) proc.process(pid, pid < 40 ? 1 : 10, pid);
  fs::create_directories(fs::path(proc.root()) / "sys");
  auto seeder = Seeder::open(proc.root());
  ASSERT_TRUE(seeder);

  std::size_t steps = 0;
  std::set<std::uint32_t> pids;
  bool finished = false;
  while (!finished) {
    std::size_t in_step = 0;
    finished = seeder->step(0ns, [&](const Snapshot& found) {
      in_step++;
      pids.insert(found.process.pid);
      const auto parent = found.process.pid == 1   ? ProcessId{}
                          : found.process.pid < 40 ? ProcessId{1, 1}
                                                   : ProcessId{10, 10};
      EXPECT_EQ(found.parent, parent) << found.process.pid;
    });
    ASSERT_LE(in_step, 1u) << "no budget: one at a time";
    steps++;
  }

  EXPECT_EQ(pids.size(), 51u);
  EXPECT_GE(steps, 51u);
  EXPECT_EQ(seeder->stats().found, 51u);
  EXPECT_EQ(seeder->coverage(), Coverage::complete);
}

TEST(Seeder, a_parent_younger_than_its_child_is_somebody_else) {
  FakeProc proc;
  proc.process(1, 0, 1);
  proc.process(10, 1, 500);
  proc.process(20, 10, 400);
  auto seeder = Seeder::open(proc.root());
  const auto all = walk(*seeder);
  ASSERT_EQ(all.size(), 3u);
  for (const auto& found : all) EXPECT_EQ(bool{found.parent}, found.process.pid == 10);
}

TEST(Seeder, goes_on_past_the_vanished_and_the_malformed) {
  FakeProc proc;
  proc.process(1, 0, 1);
  proc.file(2, "stat", "rubbish");
  fs::create_directories(fs::path(proc.root()) / "3");
  proc.process(4, 1, 4);
  proc.file(99999, "stat", stat_line("zombie", 1, 1, 'Z'));
  fs::create_directories(fs::path(proc.root()) / "99999999999999");
  auto seeder = Seeder::open(proc.root());

  EXPECT_EQ(walk(*seeder).size(), 2u);

  EXPECT_EQ(seeder->stats().vanished, 2u);
  EXPECT_EQ(seeder->stats().malformed, 1u);
  EXPECT_EQ(seeder->coverage(), Coverage::partial);
}

TEST(Seeder, where_pid_one_is_hidden_the_walk_is_partial) {
  FakeProc proc;
  proc.process(4, 1, 4);
  auto seeder = Seeder::open(proc.root());
  EXPECT_EQ(seeder->coverage(), Coverage::partial) << "not finished yet";
  EXPECT_EQ(walk(*seeder).size(), 1u);
  EXPECT_EQ(seeder->coverage(), Coverage::partial);
}

TEST(Seeder, the_pids_of_another_namespace_prove_nobody_gone) {
  FakeProc proc;
  proc.process(1, 0, 1);
  proc.link(1, "ns/pid", "pid:[4026532999]");
  auto seeder = Seeder::open(proc.root());
  walk(*seeder);
  EXPECT_EQ(Reader::open(proc.root())->shows_host(), false);
  EXPECT_EQ(seeder->coverage(), Coverage::partial);
}

TEST(Seeder, a_missing_proc_is_an_error_not_a_crash) {
  EXPECT_FALSE(Seeder::open("/nonexistent/proc"));
}

TEST(Seeder, what_it_finds_becomes_a_process_of_the_table) {
  FakeProc proc;
  proc.process(1, 0, 1);
  proc.process(900, 1, 55);
  Processes table;
  auto seeder = Seeder::open(proc.root());
  table.begin_resync(1ns);
  for (const auto& found : walk(*seeder)) {
    const std::vector<std::string_view> args(found.args.begin(), found.args.end());
    table.seen(found.fact(args));
  }
  table.end_resync(seeder->coverage());

  const Process* process = table.find({900, 55});
  ASSERT_TRUE(process);
  EXPECT_EQ(process->parent, (ProcessId{1, 1}));
  EXPECT_EQ(process->name, "p900");
  EXPECT_EQ(process->virtual_pid, 3u);
  EXPECT_THAT(process->image->args(), ElementsAre("p", "-x"));
  EXPECT_EQ(table.stats().live, 2u);
}

}  // namespace
}  // namespace tapio::proc
