// SPDX-License-Identifier: Apache-2.0
// Every hook of the observer on the live kernel: real cgroups are made, limited and removed.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <deque>
#include <fstream>
#include <thread>

#include "container_observer.hpp"
#include "enrich/world.hpp"
#include "rig.hpp"
#include "scenarios/memory_cgroup.hpp"
#include "test_cgroup.hpp"

namespace tapio::container {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

constexpr const char* kDocker =
    "/docker/4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";

std::unique_ptr<config::Section> wide_open() {
  auto section = config::section<Config>();
  section->as<Config>().rate_per_second = 0;
  return section;
}

// The test is not its own agent here: what it does itself is to be seen.
Rig make_rig() {
  return Rig(descriptor, *wide_open(), {.self_tgid = 1});
}

template <typename Kind>
std::vector<Kind> facts_about(const Rig& rig, std::uint64_t id) {
  std::vector<Kind> list;
  for (const Fact& fact : rig.out.facts)
    if (const auto* kind = std::get_if<Kind>(&fact); kind && kind->cgroup_id == id)
      list.push_back(*kind);
  return list;
}

class ContainerOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, ContainerOnKernel, kEveryPath, path_name);

TEST_P(ContainerOnKernel, a_cgroup_is_told_from_its_beginning_to_its_end_with_id_and_path) {
  auto rig = make_rig();
  const auto before = monotonic_now();
  TestCgroup cgroup(kDocker);
  ASSERT_NE(cgroup.id(), 0u);
  cgroup.remove();
  const auto after = monotonic_now();
  rig.drain();

  const auto created = facts_about<CgroupCreated>(rig, cgroup.id());
  ASSERT_EQ(created.size(), 1u);
  EXPECT_EQ(created[0].path, cgroup.path());
  EXPECT_GT(created[0].time, before);
  const auto removed = facts_about<CgroupRemoved>(rig, cgroup.id());
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].path, cgroup.path());
  EXPECT_GT(removed[0].time, created[0].time);
  EXPECT_LT(removed[0].time, after);
  for (const Record& record : rig.out.records)
    if (record.id == created[0].evidence) {
      EXPECT_EQ(record.origin.pid, static_cast<std::uint32_t>(::getpid()));
    }
}

TEST_P(ContainerOnKernel, a_process_that_is_moved_is_told_with_who_moved_it) {
  auto rig = make_rig();
  TestCgroup cgroup(kDocker);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  ASSERT_TRUE(cgroup.write("cgroup.procs", std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  rig.drain();
  const auto moved = std::ranges::find_if(rig.out.facts, [&](const Fact& fact) {
    const auto* move = std::get_if<ProcessMoved>(&fact);
    return move && move->process.pid == static_cast<std::uint32_t>(child);
  });
  ASSERT_NE(moved, rig.out.facts.end());
  const auto& fact = std::get<ProcessMoved>(*moved);
  EXPECT_EQ(fact.to, cgroup.id());
  EXPECT_EQ(fact.by.pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_GT(fact.process.start_ticks, 0u);
}

TEST_P(ContainerOnKernel, a_thread_that_moves_alone_does_not_take_its_process_along) {
  auto rig = make_rig();
  if (rig.hierarchy.subsystem == TAPIO_CGROUP_V2) GTEST_SKIP() << "v2 moves whole processes here";
  TestCgroup cgroup(kDocker);
  std::thread([&] { ASSERT_TRUE(cgroup.write("tasks", std::to_string(::gettid()))); }).join();
  rig.drain();
  for (const Fact& fact : rig.out.facts)
    if (const auto* move = std::get_if<ProcessMoved>(&fact)) {
      EXPECT_NE(move->process.pid, static_cast<std::uint32_t>(::getpid()));
    }
}

TEST_P(ContainerOnKernel, the_books_add_up) {
  auto rig = make_rig();
  constexpr int kMany = 50;
  for (int i = 0; i < kMany; ++i) TestCgroup cgroup("/" + std::to_string(i));
  rig.drain();
  rig.programs->detach();
  for (std::uint32_t hook = 0; hook < 2; ++hook) {
    const auto books = rig.balance(hook);
    EXPECT_EQ(books.residue, 0) << hook;
    EXPECT_GE(books.row.classes[TAPIO_STATE].outcome[TAPIO_EMITTED], kMany) << hook;
    EXPECT_EQ(books.row.read_faults, 0u) << hook;
  }
}

TEST_P(ContainerOnKernel, a_path_longer_than_the_kernel_gives_is_marked) {
  auto rig = make_rig();
  std::string deep;
  for (int i = 0; i < 6; ++i) deep += "/" + std::string(200, static_cast<char>('a' + i));
  TestCgroup cgroup(deep);
  ASSERT_NE(cgroup.id(), 0u);
  rig.drain();
  const auto created = facts_about<CgroupCreated>(rig, cgroup.id());
  ASSERT_EQ(created.size(), 1u);
  EXPECT_EQ(created[0].path, "");
}

// Where there is another hierarchy beside the one that ids are from.
std::string other_mount(const Rig& rig) {
  const char* v2 = "/sys/fs/cgroup/unified";
  return rig.hierarchy.subsystem != TAPIO_CGROUP_V2 && !::access(v2, W_OK) ? v2 : "";
}

TEST_P(ContainerOnKernel, a_cgroup_of_another_hierarchy_is_not_taken_for_one_of_this) {
  auto rig = make_rig();
  const auto mount = other_mount(rig);
  if (mount.empty()) GTEST_SKIP() << "one hierarchy only";
  TestCgroup other(kDocker, mount);
  other.remove();
  TestCgroup own("/own");
  rig.drain();
  EXPECT_EQ(facts_about<CgroupCreated>(rig, own.id()).size(), 1u);
  for (const Fact& fact : rig.out.facts)
    if (const auto* created = std::get_if<CgroupCreated>(&fact)) {
      EXPECT_NE(created->path, other.path());
    }
}

// In v2 a controller has to be handed down first.
void hand_down_controllers(const capture::Hierarchy& hierarchy) {
  if (hierarchy.subsystem != TAPIO_CGROUP_V2) return;
  for (const char* one : {"+memory", "+pids", "+cpu"})
    std::ofstream(hierarchy.mount + "/cgroup.subtree_control") << one;
}

std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class WatchOfCgroups : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "makes cgroups: needs root";
    hand_down_controllers(hierarchy);
  }
  Watch watch(const Config& config = {}) {
    return {Rig::must(CgroupFiles::open(hierarchy)), config};
  }
  CgroupCreated known(const TestCgroup& cgroup) {
    const CgroupCreated fact{.cgroup_id = cgroup.id(), .path = cgroup.path()};
    world.apply(fact);
    return fact;
  }
  [[nodiscard]] bool limit(const TestCgroup& cgroup, const std::string& bytes) const {
    const bool v2 = hierarchy.subsystem == TAPIO_CGROUP_V2;
    return cgroup.write(v2 ? "memory.max" : "memory.limit_in_bytes", bytes);
  }

  KnownWorld world;
  capture::Hierarchy hierarchy = capture::find_hierarchy(capture::find_btf(""));
};

TEST_F(WatchOfCgroups, memory_and_a_changed_limit_are_read_from_a_real_cgroup) {
  TestCgroup cgroup("");
  if (!limit(cgroup, "67108864")) GTEST_SKIP() << "no memory controller here";
  auto watch = this->watch();
  watch.add(known(cgroup));
  const auto readings = watch.tick(1s, world);
  ASSERT_EQ(readings.memory.size(), 1u);
  EXPECT_EQ(readings.memory[0].max, 67108864u);
  ASSERT_TRUE(limit(cgroup, "33554432"));
  const auto later = watch.tick(2s, world);
  ASSERT_EQ(later.changes.size(), 1u);
  EXPECT_EQ(later.changes[0].before, 67108864u);
  EXPECT_EQ(later.changes[0].after, 33554432u);
}

// A process in the cgroup that takes memory until it is told to end, or is killed.
class Taker {
 public:
  Taker(const TestCgroup& cgroup, std::size_t bytes) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      cgroup.enter();
      take_memory(bytes, 1 << 20, 0ms);
      if (::write(pipe[1], "", 1) != 1) ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    ::close(pipe[1]);
    char byte = 0;
    ready_ = ::read(pipe[0], &byte, 1) == 1;
    ::close(pipe[0]);
  }
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;
  ~Taker() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;  // it has taken all, and was not killed for it
};

TEST_F(WatchOfCgroups, what_is_behind_the_usage_and_a_kill_are_read_from_the_kernels_files) {
  constexpr std::size_t kMiB = 1 << 20;
  TestCgroup cgroup("");
  if (!limit(cgroup, "33554432")) GTEST_SKIP() << "no memory controller here";
  const bool v2 = hierarchy.subsystem == TAPIO_CGROUP_V2;
  if (v2) (void)cgroup.write("memory.swap.max", "0");
  auto watch = this->watch();
  watch.add(known(cgroup));
  {
    const Taker large(cgroup, 30 * kMiB);
    ASSERT_TRUE(large.ready());
    const auto first = watch.tick(1s, world);
    ASSERT_EQ(first.memory.size(), 1u);
    const CgroupMemory& before = first.memory[0];
    EXPECT_GE(before.usage, 30 * kMiB);
    ASSERT_TRUE(before.reclaimable);
    EXPECT_LT(*before.reclaimable, before.usage);
    EXPECT_TRUE(before.inactive_file);
    EXPECT_TRUE(before.hits);
    EXPECT_EQ(before.oom_kills, 0u);
    EXPECT_EQ(before.pressure.has_value(), v2 && ::access("/proc/pressure/memory", R_OK) == 0);
    EXPECT_TRUE(first.looked.empty()) << "only who was near its limit is looked at";
    const auto second = watch.tick(2s, world);
    ASSERT_EQ(second.looked.size(), 1u);
    ASSERT_GE(second.looked[0].consumers.largest.size(), 1u);
    EXPECT_EQ(second.looked[0].consumers.largest[0].pid, static_cast<std::uint32_t>(large.pid()));
    EXPECT_GE(second.looked[0].consumers.largest[0].rss, 29 * kMiB);
  }
  const Taker killed(cgroup, 64 * kMiB);
  EXPECT_FALSE(killed.ready());
  const auto after = watch.tick(3s, world);
  ASSERT_EQ(after.memory.size(), 1u);
  EXPECT_EQ(after.memory[0].oom_kills, 1u);
  EXPECT_GT(after.memory[0].hits, 0u);
}

TEST_F(WatchOfCgroups, the_node_is_read_from_proc) {
  const auto node = NodeFiles().read(1s);
  EXPECT_GT(node.memory_total, 0u);
  EXPECT_GT(node.memory_available, 0u);
  EXPECT_LT(node.memory_available, node.memory_total);
  EXPECT_EQ(node.memory.has_value(), ::access("/proc/pressure/memory", R_OK) == 0);
}

TEST_F(WatchOfCgroups, a_tick_keeps_its_budget_with_many_cgroups) {
  std::vector<std::size_t> numbers{10, 100};
  if (!std::getenv("TAPIO_EMULATED")) numbers.push_back(1000);  // that takes minutes there
  for (const std::size_t many : numbers) {
    std::deque<TestCgroup> cgroups;
    for (std::size_t i = 0; i < many; ++i) cgroups.emplace_back("-" + std::to_string(i));
    if (!limit(cgroups.front(), "67108864")) GTEST_SKIP() << "no memory controller here";
    auto watch = this->watch();
    for (const auto& cgroup : cgroups) {
      ASSERT_TRUE(limit(cgroup, "67108864"));
      watch.add(known(cgroup));
    }
    constexpr int kTicks = 20;
    std::size_t read = 0;
    std::chrono::nanoseconds took{}, cpu{};
    for (int tick = 1; tick <= kTicks; ++tick) {
      const auto begin = monotonic_now();
      const auto cpu_begin = cpu_time();
      read += watch.tick(std::chrono::seconds(tick), world).memory.size();
      took += monotonic_now() - begin;
      cpu += cpu_time() - cpu_begin;
    }
    std::printf("    %zu cgroups: a tick reads %zu in %ld us, %ld us of CPU\n", many, read / kTicks,
                took / kTicks / 1us, cpu / kTicks / 1us);
    EXPECT_GT(read, 0u);
    EXPECT_LE(read / kTicks, Config{}.readings_per_second);
  }
}

}  // namespace
}  // namespace tapio::container
