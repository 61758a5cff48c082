// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroups.hpp"

#include <gtest/gtest.h>

#include "enrich/memory_history.hpp"
#include "enrich/world.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr RecordId kEvent{1, 1};
constexpr const char* kDocker =
    "/docker/4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";

CgroupCreated made(std::uint64_t id, MonotonicTime time, std::string_view path) {
  return {.time = time, .evidence = kEvent, .cgroup_id = id, .path = path};
}
CgroupCreated found(std::uint64_t id, MonotonicTime time, std::string_view path) {
  return {.time = time, .cgroup_id = id, .path = path};
}
CgroupRemoved gone(std::uint64_t id, MonotonicTime time, std::string_view path = "") {
  return {.time = time, .evidence = kEvent, .cgroup_id = id, .path = path};
}

TEST(Cgroups, know_path_identity_and_times) {
  Cgroups cgroups;
  cgroups.created(made(7, 5s, kDocker));
  const Cgroup* cgroup = cgroups.find(7);
  ASSERT_TRUE(cgroup);
  EXPECT_EQ(cgroup->path, kDocker);
  EXPECT_EQ(cgroup->runtime, "docker");
  EXPECT_EQ(cgroup->container_id, std::string_view(kDocker).substr(8));
  EXPECT_EQ(cgroup->created, 5s);
  EXPECT_EQ(cgroup->removed, 0s);
  EXPECT_FALSE(cgroups.find(8));
}

TEST(Cgroups, stay_for_five_minutes_after_their_end) {
  Cgroups cgroups;
  cgroups.created(made(7, 5s, kDocker));
  cgroups.removed(gone(7, 10s));
  cgroups.expire(10s + 300s);
  ASSERT_TRUE(cgroups.find(7));
  EXPECT_EQ(cgroups.find(7)->removed, 10s);
  EXPECT_EQ(cgroups.find(7)->runtime, "docker");
  cgroups.expire(10s + 301s);
  EXPECT_FALSE(cgroups.find(7));
  EXPECT_EQ(cgroups.stats().text_bytes, 0u);
}

TEST(Cgroups, of_an_end_without_a_beginning_the_path_is_kept) {
  Cgroups cgroups;
  cgroups.removed(gone(7, 10s, kDocker));
  ASSERT_TRUE(cgroups.find(7));
  EXPECT_EQ(cgroups.find(7)->runtime, "docker");
  EXPECT_EQ(cgroups.find(7)->created, 0s);
}

TEST(Cgroups, an_event_wins_over_a_walk_whichever_comes_first) {
  Cgroups cgroups;
  cgroups.created(found(7, 3s, "/a"));
  EXPECT_EQ(cgroups.find(7)->created, 0s);
  cgroups.created(made(7, 2s, "/a"));
  EXPECT_EQ(cgroups.find(7)->created, 2s);

  cgroups.removed(gone(8, 10s, "/b"));
  cgroups.created(found(8, 9s, "/b"));  // it was read before its end
  EXPECT_EQ(cgroups.find(8)->removed, 10s);
  cgroups.created(made(8, 1s, "/b"));
  EXPECT_EQ(cgroups.find(8)->removed, 10s);
  EXPECT_EQ(cgroups.find(8)->created, 1s);
}

TEST(Cgroups, an_id_that_comes_again_after_its_end_is_another_one) {
  Cgroups cgroups;
  cgroups.created(made(7, 1s, kDocker));
  cgroups.removed(gone(7, 2s));
  cgroups.created(made(7, 3s, "/system.slice/a.service"));
  EXPECT_EQ(cgroups.find(7)->container_id, "");
  EXPECT_EQ(cgroups.find(7)->unit, "a.service");
  EXPECT_EQ(cgroups.find(7)->created, 3s);
  EXPECT_EQ(cgroups.find(7)->removed, 0s);
  EXPECT_EQ(cgroups.stats().live, 1u);
  EXPECT_EQ(cgroups.stats().removed, 0u);
  cgroups.removed(gone(7, 2s));  // late, and of the one before
  EXPECT_EQ(cgroups.find(7)->removed, 0s);
}

TEST(Cgroups, a_directory_of_v1_that_was_renamed_has_its_new_name_and_never_half_of_it) {
  Cgroups cgroups;
  cgroups.created(made(7, 1s, "/a"));
  cgroups.created(found(7, 2s, "/b"));
  EXPECT_EQ(cgroups.find(7)->path, "/b");
  cgroups.created(found(7, 3s, "…/b"));
  EXPECT_EQ(cgroups.find(7)->path, "/b");
  cgroups.created(found(7, 4s, ""));
  EXPECT_EQ(cgroups.find(7)->path, "/b");
}

TEST(Cgroups, a_path_that_was_cut_is_filled_in_by_a_walk) {
  Cgroups cgroups;
  cgroups.created(made(7, 5s, ""));
  EXPECT_EQ(cgroups.find(7)->path, "");
  cgroups.created(found(7, 6s, kDocker));
  EXPECT_EQ(cgroups.find(7)->runtime, "docker");
}

TEST(Cgroups, what_a_walk_over_all_does_not_find_was_removed) {
  Cgroups cgroups;
  cgroups.created(made(1, 1s, "/a"));
  cgroups.created(made(2, 1s, "/b"));
  cgroups.begin_walk(10s);
  cgroups.created(found(1, 11s, "/a"));
  cgroups.created(made(3, 12s, "/c"));  // after the walk passed there
  cgroups.end_walk(13s);
  EXPECT_EQ(cgroups.find(1)->removed, 0s);
  EXPECT_EQ(cgroups.find(2)->removed, 13s);
  EXPECT_EQ(cgroups.find(3)->removed, 0s);
}

TEST(Cgroups, are_bounded_in_number_and_in_text) {
  Cgroups cgroups({.live = 3, .removed = 2, .text_bytes = 100});
  for (std::uint64_t id = 1; id <= 4; ++id) cgroups.created(made(id, 1s, "/x"));
  EXPECT_FALSE(cgroups.find(1));
  EXPECT_TRUE(cgroups.find(2));
  for (std::uint64_t id = 2; id <= 4; ++id) cgroups.removed(gone(id, 2s));
  EXPECT_FALSE(cgroups.find(2));
  EXPECT_EQ(cgroups.stats().removed, 2u);
  EXPECT_EQ(cgroups.stats().evicted, 2u);

  cgroups.created(made(10, 3s, std::string(60, 'a')));
  cgroups.created(made(11, 3s, std::string(60, 'b')));
  EXPECT_FALSE(cgroups.find(3)) << "the removed go first";
  EXPECT_FALSE(cgroups.find(10));
  EXPECT_TRUE(cgroups.find(11));
  EXPECT_EQ(cgroups.stats().text_bytes, 60u);
}

TEST(Cgroups, an_id_of_zero_is_nobodys) {
  Cgroups cgroups;
  cgroups.created(made(0, 1s, "/a"));
  cgroups.removed(gone(0, 1s, "/a"));
  EXPECT_FALSE(cgroups.find(0));
}

TEST(MemoryHistory, keeps_the_last_readings_oldest_first) {
  MemoryHistory history;
  for (std::uint64_t i = 1; i <= World::kMaxMemoryPoints + 5; ++i)
    history.add({.time = std::chrono::seconds(i), .cgroup_id = 7, .usage = i, .max = 1000});
  const auto points = history.of(7);
  ASSERT_EQ(points.size(), World::kMaxMemoryPoints);
  EXPECT_EQ(points.front().usage, 6u);
  EXPECT_EQ(points.back().usage, World::kMaxMemoryPoints + 5);
  EXPECT_EQ(points.back().max, 1000u);
  EXPECT_TRUE(history.of(8).empty());
}

TEST(MemoryHistory, forgets_who_was_not_measured_for_long_and_who_was_measured_first) {
  MemoryHistory history;
  history.add({.time = 1s, .cgroup_id = 1});
  history.add({.time = 2s, .cgroup_id = 2});
  history.expire(1s + MemoryHistory::kKeep + 1ns);
  EXPECT_TRUE(history.of(1).empty());
  EXPECT_EQ(history.of(2).size(), 1u);
  for (std::uint64_t id = 3; id < 3 + MemoryHistory::kMaxCgroups; ++id)
    history.add({.time = 3s, .cgroup_id = id});
  EXPECT_TRUE(history.of(2).empty());
  EXPECT_EQ(history.of(3).size(), 1u);
}

TEST(KnownWorld, answers_for_cgroups_and_wants_a_walk_at_the_start_and_after_a_loss) {
  KnownWorld world;
  EXPECT_TRUE(world.wants_cgroup_walk());
  world.begin_cgroup_walk(1s);
  EXPECT_FALSE(world.wants_cgroup_walk());
  world.apply(made(7, 2s, kDocker));
  world.apply(CgroupMemory{.time = 3s, .cgroup_id = 7, .usage = 5, .max = 10});
  ASSERT_TRUE(world.cgroup(7));
  EXPECT_EQ(world.cgroup(7)->runtime, "docker");
  EXPECT_EQ(world.memory(7).size(), 1u);
  world.apply(gone(7, 4s));
  EXPECT_EQ(world.cgroup(7)->removed, 4s);
  world.on_time(4s + 400s);
  EXPECT_FALSE(world.cgroup(7));
  EXPECT_TRUE(world.memory(7).empty());
  world.apply(Lost{.from = 1s, .to = 2s, .observer = "container", .event_class = TAPIO_STATE});
  EXPECT_TRUE(world.wants_cgroup_walk());
}

}  // namespace
}  // namespace tapio
