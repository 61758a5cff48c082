// SPDX-License-Identifier: Apache-2.0
#include "enrich/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "empty_world.hpp"
#include "enrich/world.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Knows cgroups that a test names, and nobody in them.
class Places final : public EmptyWorld {
 public:
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t id) const override {
    const auto found = cgroups.find(id);
    return found == cgroups.end() ? nullptr : &found->second;
  }

  std::map<std::uint64_t, Cgroup> cgroups;
};

ProcessExecuted ran(std::string_view executable, std::uint64_t cgroup_id, MonotonicTime time,
                    ProcessId process = {5, 5}) {
  ProcessExecuted fact;
  fact.time = time;
  fact.evidence = {1, static_cast<std::uint64_t>(time / 1s)};
  fact.process = process;
  fact.cgroup_id = cgroup_id;
  fact.name = "it";
  fact.executable = executable;
  return fact;
}

class WhatChanged : public testing::Test {
 protected:
  void hand(const Fact& fact) { changes.on_fact(fact, world); }
  [[nodiscard]] std::vector<std::string> texts(std::uint64_t cgroup_id, MonotonicTime from = 0s,
                                               MonotonicTime to = 1h) const {
    std::vector<std::string> list;
    for (const Change& change : changes.of(cgroup_id, from, to, world)) list.push_back(change.text);
    return list;
  }

  Changes changes;
  Places world;
};

TEST_F(WhatChanged, a_program_that_had_not_run_there_before_is_a_change_once) {
  hand(ran("/bin/server", 7, 1s));  // what the place is for
  hand(ran("/bin/curl", 7, 2s));
  hand(ran("/bin/server", 7, 3s));
  hand(ran("/bin/curl", 7, 4s));
  EXPECT_THAT(texts(7), ElementsAre("/bin/curl ran for the first time, as it (pid 5)"));
  EXPECT_EQ(changes.of(7, 0s, 1h, world)[0].evidence, (RecordId{1, 2}));
  EXPECT_THAT(texts(8), IsEmpty());
  hand(ran("/bin/server", 8, 5s));
  hand(ran("/bin/curl", 8, 6s));
  EXPECT_EQ(texts(8).size(), 1u) << "each place by itself";
}

TEST_F(WhatChanged, what_ran_before_the_agent_is_not_new) {
  changes.seen(ran("/bin/curl", 7, 1s), world);
  changes.seen(ran("/bin/cron", 0, 1s), world);  // from /proc, which does not say where
  hand(ran("/bin/curl", 7, 2s));
  hand(ran("/bin/cron", 7, 3s));
  hand(ran("/bin/cron", 8, 4s));
  hand(ran("/bin/cron", 0, 5s));
  EXPECT_THAT(texts(7), IsEmpty());
  EXPECT_THAT(texts(8), IsEmpty());
  EXPECT_THAT(texts(0), IsEmpty());
  hand(ran("/bin/nc", 0, 6s));
  EXPECT_THAT(texts(0), ElementsAre(HasSubstr("/bin/nc")));
}

TEST_F(WhatChanged, only_what_is_in_the_time_asked_for) {
  hand(ran("/a", 7, 1s));
  for (int i = 2; i <= 5; ++i) hand(ran("/" + std::to_string(i), 7, i * 1s));
  EXPECT_THAT(texts(7, 3s, 4s), ElementsAre(HasSubstr("/3"), HasSubstr("/4")));
}

TEST_F(WhatChanged, a_container_is_one_place_whatever_its_cgroup) {
  world.cgroups[7] = {.id = 7, .path = "/a", .container_id = "c0ffee"};
  world.cgroups[8] = {.id = 8, .path = "/b", .container_id = "c0ffee"};
  hand(ran("/bin/server", 7, 1s));
  hand(ran("/bin/curl", 8, 2s));
  EXPECT_EQ(texts(7).size(), 1u);
}

TEST_F(WhatChanged, a_limit_is_told_in_the_units_that_people_use) {
  const auto limit = [&](std::string_view name, std::uint64_t before, std::uint64_t after) {
    hand(CgroupLimitChanged{
        .time = 2s, .cgroup_id = 7, .limit = name, .before = before, .after = after});
  };
  limit("memory.max", 64u << 20, 32u << 20);
  limit("memory.max", kNoLimit, 4096);
  limit("memory.high", 5, 0);
  limit("cpu.max", 1500, kNoLimit);
  limit("pids.max", 10, 20);
  EXPECT_THAT(
      texts(7),
      ElementsAre("memory.max went from 64 MiB to 32 MiB", "memory.max went from no limit to 4 KiB",
                  "memory.high went from 5 bytes to 0 bytes",
                  "cpu.max went from 1.5 CPUs to no limit", "pids.max went from 10 to 20"));
}

TEST_F(WhatChanged, who_gains_is_told_and_who_changes_its_user_late) {
  CredentialsChanged fact{.time = 100s, .process = {5, 9500}, .cgroup_id = 7, .name = "it"};
  fact.before.uid = fact.before.euid = 33;
  fact.after.uid = 33;
  fact.gained = true;
  hand(fact);
  fact.gained = false;
  fact.after.uid = 34;
  hand(fact);  // it had run for 5 s
  EXPECT_THAT(texts(7), ElementsAre("it (pid 5) became root"));
  fact.time = 200s;
  hand(fact);
  EXPECT_THAT(texts(7),
              ElementsAre("it (pid 5) became root", "it (pid 5) went from user 33 to user 34"));
}

TEST_F(WhatChanged, a_main_process_that_comes_again_is_a_restart) {
  world.cgroups[7] = {.id = 7, .path = "/system.slice/a.service", .unit = "a.service"};
  const auto main = [&](std::string_view executable, MonotonicTime time, ProcessId id,
                        std::uint32_t parent) {
    auto fact = ran(executable, 7, time, id);
    fact.parent = {parent, 1};
    hand(fact);
  };
  main("/bin/server", 1s, {10, 100}, 1);
  main("/bin/server", 2s, {11, 200}, 10);  // a child of it
  EXPECT_THAT(texts(7), IsEmpty());
  main("/bin/server", 3s, {12, 300}, 1);
  EXPECT_THAT(texts(7), ElementsAre("its main process was started again as it (pid 12); before it "
                                    "was pid 10"));
  EXPECT_EQ(changes.of(7, 0s, 1h, world)[0].what, Change::What::restart);
}

TEST_F(WhatChanged, a_container_is_started_again_when_its_first_process_is) {
  world.cgroups[7] = {.id = 7, .path = "/a", .container_id = "c0ffee"};
  for (const std::uint32_t pid : {10, 11}) {
    auto fact = ran("/bin/server", 7, pid * 1s, {pid, pid});
    fact.virtual_pid = 1;
    hand(fact);
    hand(fact);  // an exec of the same process is none
  }
  EXPECT_THAT(texts(7), ElementsAre(HasSubstr("started again as it (pid 11)")));
}

TEST_F(WhatChanged, storms_of_programs_and_of_places_keep_their_bounds) {
  for (int i = 0; i < 10'000; ++i) hand(ran("/cc1/" + std::to_string(i), 7, 1s));
  EXPECT_EQ(texts(7).size(), World::kMaxChanges);
  EXPECT_EQ(changes.stats().evicted_executables, 10'000 - Changes::kMaxExecutables);
  for (std::uint64_t i = 100; i < 10'000; ++i) hand(ran("/bin/server", i, 2s));
  EXPECT_EQ(changes.stats().scopes, Changes::kMaxScopes);
  EXPECT_THAT(texts(7), IsEmpty()) << "forgotten";
  hand(ran(std::string(4000, 'x'), 9999, 3s));
  EXPECT_LT(texts(9999)[0].size(), Changes::kMaxNameBytes + 100);
}

TEST_F(WhatChanged, the_world_answers) {
  KnownWorld known;
  known.seen(ran("/bin/old", 0, 1s));
  known.apply(ran("/bin/old", 0, 2s));
  known.apply(ran("/bin/new", 0, 3s));
  ASSERT_EQ(known.changes(0, 0s, 1h).size(), 1u);
  EXPECT_THAT(known.changes(0, 0s, 1h)[0].text, HasSubstr("/bin/new"));
}

}  // namespace
}  // namespace tapio
