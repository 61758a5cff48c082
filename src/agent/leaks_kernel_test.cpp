// SPDX-License-Identifier: Apache-2.0
// Nothing grows when observers, and whole agents, are started and stopped again and again: no file
// descriptors, no memory, nothing in the kernel. TAPIO_CYCLES says how often; `./dev leaks`.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "rig.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;

constexpr int kWarmUp = 3;  // cycles: what is allotted once is there then
// However many cycles. What the allocator caches for a thread counts as in use to mallinfo(3), and
// fills up slowly; `./dev leaks` runs without that cache.
constexpr std::size_t kHeapMost = 256 << 10;
constexpr std::size_t kResidentMost = 1 << 20;
constexpr std::size_t kCyclesByDefault = 10;

std::size_t cycles() {
  const char* told = std::getenv("TAPIO_CYCLES");
  return told ? std::max(1ul, std::strtoul(told, nullptr, 10)) : kCyclesByDefault;
}

// What g++ defines, clang has as a feature.
#ifdef __has_feature
#define TAPIO_HAS_FEATURE(feature) __has_feature(feature)
#else
#define TAPIO_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || TAPIO_HAS_FEATURE(thread_sanitizer)
constexpr bool kChecksThreads = true;
#else
constexpr bool kChecksThreads = false;
#endif
#if defined(__SANITIZE_ADDRESS__) || TAPIO_HAS_FEATURE(address_sanitizer)
constexpr bool kChecksAddresses = true;
#else
constexpr bool kChecksAddresses = false;
#endif
// Otherwise the heap is theirs; LeakSanitizer looks after it.
constexpr bool kKnowsMemory = !kChecksThreads && !kChecksAddresses;

std::size_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t heap_bytes() {
  ::malloc_trim(0);
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

std::size_t bpf_mappings() {
  std::size_t count = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) count += line.contains("bpf");
  return count;
}

// Numbers that the kernel gave to what this process holds: "prog_id", "map_id" or "link_id".
struct Held {
  std::set<std::uint32_t> programs, maps, links;

  void add_all() {
    for (const auto& file : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
      std::ifstream lines(file.path());
      for (std::string key; lines >> key; lines.ignore(1 << 16, '\n')) {
        std::uint32_t id = 0;
        if (key == "prog_id:" && lines >> id) programs.insert(id);
        if (key == "map_id:" && lines >> id) maps.insert(id);
        if (key == "link_id:" && lines >> id) links.insert(id);
      }
    }
  }
  [[nodiscard]] std::size_t size() const { return programs.size() + maps.size() + links.size(); }
  // Drops those that are gone from the kernel.
  void drop_gone() {
    std::erase_if(programs, [](std::uint32_t id) { return !Fd(bpf_prog_get_fd_by_id(id)); });
    std::erase_if(maps, [](std::uint32_t id) { return !Fd(bpf_map_get_fd_by_id(id)); });
    std::erase_if(links, [](std::uint32_t id) { return !Fd(bpf_link_get_fd_by_id(id)); });
  }
};

// What this process has at one moment.
struct Belongings {
  std::size_t files = open_files(), mappings = bpf_mappings(), heap = heap_bytes(),
              resident = resident_bytes();
};

// Starts and stops, and compares what is there after the warm-up with what is there at the end.
void expect_no_growth(const char* what, std::size_t times, const std::function<void(Held&)>& once) {
  Held held;
  for (int i = 0; i < kWarmUp; ++i) once(held);
  const std::size_t objects_of_one = held.size() / kWarmUp;
  held = {};
  const Belongings before;
  const auto began = monotonic_now();
  for (std::size_t i = 0; i < times; ++i) {
    once(held);
    held.drop_gone();  // the kernel frees late; what stays is looked at below
  }
  const auto took = monotonic_now() - began;
  held.drop_gone();
  for (int i = 0; i < 1000 && held.size() > 0; ++i) {
    ::usleep(10'000);
    held.drop_gone();
  }
  const Belongings after;
  const auto grown = [](std::size_t now, std::size_t then) {
    return static_cast<std::int64_t>(now) - static_cast<std::int64_t>(then);
  };
  std::printf(
      "    %s: %zu cycles, %.0f ms each, %zu objects in the kernel each; files %+ld, "
      "heap %+ld bytes, resident %+ld KiB, objects left %zu\n",
      what, times,
      std::chrono::duration<double, std::milli>(took).count() / static_cast<double>(times),
      objects_of_one, grown(after.files, before.files), grown(after.heap, before.heap),
      grown(after.resident, before.resident) / 1024, held.size());
  EXPECT_EQ(after.files, before.files);
  EXPECT_EQ(after.mappings, before.mappings);
  EXPECT_EQ(held.size(), 0u);
  if (!kKnowsMemory) return;
  EXPECT_LE(after.heap, before.heap + kHeapMost);
  EXPECT_LE(after.resident, before.resident + kResidentMost);
}

class Leaks : public testing::TestWithParam<const Descriptor*> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
    if (kChecksThreads) GTEST_SKIP() << "is about memory, not about threads";
  }
};

TEST_P(Leaks, an_observer_leaves_nothing_behind_however_often_it_starts) {
  const Descriptor& observer = *GetParam();
  const auto settings = observer.settings();
  const std::string name(observer.name);
  expect_no_growth(name.c_str(), cycles(), [&](Held& held) {
    const Rig rig(observer, *settings, {});
    held.add_all();
  });
}
INSTANTIATE_TEST_SUITE_P(Observers, Leaks,
                         testing::ValuesIn(observers().begin(), observers().end()),
                         [](const auto& each) { return std::string(each.param->name); });

class LeaksOfAgents : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
    if (kChecksThreads) GTEST_SKIP() << "is about memory, not about threads";
  }
};

// With canary and socket; fewer, because each has several threads to end.
TEST_F(LeaksOfAgents, an_agent_leaves_nothing_behind_however_often_it_starts) {
  const config::Tree settings = configuration();
  const auto socket = testing::TempDir() + "tapio-leaks-" + std::to_string(::getpid()) + ".sock";
  expect_no_growth("agent", std::max<std::size_t>(cycles() / 4, 1), [&](Held& held) {
    const auto node = Rig::must(Node::start({.configuration = settings,
                                             .socket = socket,
                                             .configured_sinks = false,
                                             .canary_song = {"/bin/sh", "-c", "kill -9 $$"}}));
    const auto end = monotonic_now() + 50ms;
    node->run([&] { return monotonic_now() > end; });
    held.add_all();
  });
  std::filesystem::remove(socket + ".lock");
}

}  // namespace
}  // namespace tapio::agent
