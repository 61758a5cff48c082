// SPDX-License-Identifier: Apache-2.0
#include "agent/blind_spots.hpp"

#include <gtest/gtest.h>

namespace tapio::agent {
namespace {

TEST(BlindSpots, an_observer_that_runs_is_none) {
  EXPECT_EQ(blind_without("dns", "on", ""), "");
  EXPECT_EQ(blind_without("dns", "provider", "its facts are needed by killed"), "");
  EXPECT_EQ(blind_without("dns", "off", "switched off in the configuration"),
            "nothing of the observer dns is known: switched off in the configuration");
  EXPECT_EQ(blind_without("dns", "failed", ""), "nothing of the observer dns is known: failed");
}

TEST(BlindSpots, a_hook_without_a_program_is_one) {
  EXPECT_EQ(blind_in("process", "credentials", "", "unsupported: needs fentry or kprobe"),
            "credentials between exec and exit are not seen here; `tapio doctor` says why");
  EXPECT_EQ(blind_in("dns", "answer", "", "unsupported: no kprobe"),
            "events of dns.answer are not seen here; `tapio doctor` says why");
}

TEST(BlindSpots, cgroups_without_events_are_one) {
  EXPECT_EQ(blind_in("container", "mkdir", "", "unsupported: created_raw needs btf"),
            "cgroups that come and go within seconds are not seen here; `tapio doctor` says why");
  EXPECT_EQ(blind_in("container", "rmdir", "", "unsupported: removed_raw needs btf"), "");
}

TEST(BlindSpots, a_hook_whose_canary_was_not_seen_is_one) {
  EXPECT_EQ(blind_in("process", "exec", "exec_btf", "not seen"),
            "programs that are executed may be missed: the canary of exec was not seen");
  EXPECT_EQ(blind_in("process", "exec", "exec_btf", "seen"), "");
  EXPECT_EQ(blind_in("process", "oom", "oom_btf", "passive, last seen never"), "");
}

TEST(BlindSpots, what_nobody_asked_for_is_none) {
  EXPECT_EQ(blind_in("dns", "call", "", "off: call_uprobe needs observers.dns.library: true"), "");
}

TEST(BlindSpots, what_others_tell_too_is_none) {
  EXPECT_EQ(blind_in("process", "death", "", "unsupported: by the kernel"), "");
}

}  // namespace
}  // namespace tapio::agent
