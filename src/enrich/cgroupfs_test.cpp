// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroupfs.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace tapio::cgroupfs {
namespace {

using namespace std::chrono_literals;

// A directory tree that stands for a hierarchy, and another one for /proc.
class CgroupFs : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tapio-cgroupfs-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    base = name;
    std::filesystem::create_directories(base / "cgroup");
    std::filesystem::create_directories(base / "proc");
  }
  void TearDown() override { std::filesystem::remove_all(base); }

  std::uint64_t make(const std::string& path) {
    std::filesystem::create_directories(mount() + path);
    const Fd directory{::open((mount() + path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return capture::cgroup_id_of(directory.get());
  }
  void process(std::uint32_t pid, const std::string& text) {
    std::filesystem::create_directories(base / "proc" / std::to_string(pid));
    std::ofstream(base / "proc" / std::to_string(pid) / "cgroup") << text;
  }
  [[nodiscard]] std::string mount() const { return base / "cgroup"; }
  Resolver resolver(std::string hierarchy = "v2") {
    return Resolver({.mount = mount(), .name = std::move(hierarchy)}, base / "proc");
  }
  std::map<std::string, std::uint64_t> walk_all() {
    std::map<std::string, std::uint64_t> found;
    auto walker = Walker::open(mount());
    EXPECT_TRUE(walker);
    while (!walker->step(0ns, [&](std::uint64_t id, std::string_view path, MonotonicTime) {
      found.emplace(path, id);
    })) {
    }
    complete = walker->complete();
    return found;
  }

  std::filesystem::path base;
  bool complete = false;
};

TEST_F(CgroupFs, a_walk_finds_every_directory_with_its_id_and_path) {
  const auto root = make("");
  const auto docker = make("/docker/abc");
  const auto unit = make("/system.slice/a b.service");
  std::ofstream(mount() + "/docker/tasks") << "1\n";
  const auto found = walk_all();
  EXPECT_TRUE(complete);
  EXPECT_EQ(found.size(), 5u);
  // Not the root of a hierarchy: the head of its paths is not known.
  EXPECT_EQ(found.at("…"), root);
  EXPECT_EQ(found.at("…/docker/abc"), docker);
  EXPECT_EQ(found.at("…/system.slice/a b.service"), unit);
}

TEST_F(CgroupFs, a_walk_follows_no_links_and_says_when_it_did_not_see_all) {
  make("/a");
  std::filesystem::create_directory_symlink("/", mount() + "/a/elsewhere");
  EXPECT_EQ(walk_all().size(), 2u);
  EXPECT_TRUE(complete);
  std::string deep;
  for (std::size_t i = 0; i <= Walker::kMaxDepth; ++i) deep += "/d";
  make(deep);
  EXPECT_LE(walk_all().size(), Walker::kMaxDepth + 2);
  EXPECT_FALSE(complete);
}

TEST_F(CgroupFs, a_walk_survives_what_is_removed_meanwhile) {
  make("/a/b");
  make("/c/d");
  auto walker = Walker::open(mount());
  ASSERT_TRUE(walker);
  const auto ignore = [](std::uint64_t, std::string_view, MonotonicTime) {};
  (void)walker->step(0ns, ignore);
  std::filesystem::remove_all(mount() + "/a");
  std::filesystem::remove_all(mount() + "/c");
  for (int i = 0; i < 20; ++i)
    if (walker->step(1ms, ignore)) return;
  FAIL() << "the walk does not end";
}

TEST_F(CgroupFs, there_is_nothing_to_walk_without_a_mount) {
  EXPECT_EQ(Walker::open("").error().fault, Fault::unsupported);
  EXPECT_FALSE(Walker::open(mount() + "/none"));
}

TEST_F(CgroupFs, a_process_tells_the_path_and_the_directory_proves_it) {
  const auto id = make("/docker/abc");
  process(50, "1:name=systemd:/x\n0::/docker/abc\n");
  EXPECT_EQ(*resolver().path_of(id, 50, 1s), "…/docker/abc");
  EXPECT_EQ(resolver().path_of(id + 1, 50, 1s).error().fault, Fault::unavailable);
  EXPECT_EQ(resolver().path_of(id, 51, 1s).error().fault, Fault::unavailable);
  process(52, "0::/docker/gone (deleted)\n");
  EXPECT_EQ(resolver().path_of(id, 52, 1s).error().fault, Fault::unavailable);
}

TEST_F(CgroupFs, what_lies_above_the_agents_namespace_is_found_if_it_is_mounted) {
  const auto id = make("/kubepods/x");
  process(50, "0::/../../kubepods/x\n");
  EXPECT_EQ(*resolver().path_of(id, 50, 1s), "…/kubepods/x");
  process(51, "0::/..\n");
  EXPECT_EQ(*resolver().path_of(make(""), 51, 1s), "…");
}

TEST_F(CgroupFs, lookups_are_bounded_in_a_second) {
  const auto id = make("/a");
  process(50, "0::/a\n");
  auto resolver = this->resolver();
  std::uint32_t done = 0;
  for (std::uint32_t i = 0; i < 2 * Resolver::kMaxPerSecond; ++i)
    done += resolver.path_of(id, 50, 1s).has_value();
  EXPECT_EQ(done, Resolver::kMaxPerSecond);
  EXPECT_TRUE(resolver.path_of(id, 50, 2s));
}

TEST(ProcCgroup, has_a_line_for_each_hierarchy) {
  constexpr std::string_view kText =
      "12:memory:/docker/abc\n"
      "4:cpu,cpuacct:/c:d\n"
      "1:name=systemd:/s\n"
      "0::/u\n";
  EXPECT_EQ(path_in(kText, "v1 memory"), "/docker/abc");
  EXPECT_EQ(path_in(kText, "v1 cpuacct"), "/c:d");
  EXPECT_EQ(path_in(kText, "v1 name=systemd"), "/s");
  EXPECT_EQ(path_in(kText, "v2"), "/u");
  EXPECT_EQ(path_in(kText, "v1 pids"), "");
  EXPECT_EQ(path_in(kText, "v1 mem"), "");
  EXPECT_EQ(path_in(kText, "v1 "), "");
  EXPECT_EQ(path_in(kText, ""), "");
}

TEST(ProcCgroup, text_of_another_form_tells_nothing) {
  for (const std::string_view text : {"", "\n\n", "0:", "0::", "0::relative", ":::", "0:x:/a"})
    EXPECT_EQ(path_in(text, "v2"), "") << text;
  EXPECT_EQ(path_in("0::/no newline", "v2"), "/no newline");
}

}  // namespace
}  // namespace tapio::cgroupfs
