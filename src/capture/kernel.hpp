// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi.h"
#include "capture/btf.hpp"

namespace tapio::capture {

enum class Feature : std::uint32_t {
  none = 0,
  btf = 1 << 0,
  ringbuf = 1 << 1,
  raw_tp = 1 << 2,
  tp_btf = 1 << 3,
  fentry = 1 << 4,  // and fexit: both take trampolines
  kprobe = 1 << 5,
  skb_dynptr = 1 << 6,
  guarded_tp = 1 << 7,
};
constexpr Feature operator|(Feature a, Feature b) {
  return Feature(std::uint32_t(a) | std::uint32_t(b));
}
constexpr Feature operator&(Feature a, Feature b) {
  return Feature(std::uint32_t(a) & std::uint32_t(b));
}
constexpr Feature without(Feature all, Feature some) {
  return Feature(std::uint32_t(all) & ~std::uint32_t(some));
}
constexpr bool covers(Feature have, Feature needed) {
  return (have & needed) == needed;
}

struct FeatureName {
  Feature feature;
  std::string_view name;  // as in TAPIO_WITHOUT
  std::string_view help;  // what it is good for
};
std::span<const FeatureName> feature_names();
[[nodiscard]] std::string names(Feature features);  // "tp_btf, ringbuf"

// What the running kernel can do. A plain value: a test writes "a 5.4" down by hand.
struct Kernel {
  Feature features = Feature::none;
  Btf btf = {};
  std::map<std::string, std::string> missing = {};  // feature name -> why
  std::map<std::string, std::string> refused = {};  // program -> the verifier's last words
  // Settings that are on, for candidates that cost so much that somebody has to ask for them.
  std::set<std::string> granted = {};
};

// Found by doing, once: tiny maps and programs are made and attached. Never from the version.
// TAPIO_WITHOUT=ringbuf,tp_btf subtracts, so that a new kernel tests the old path. `btf_path` is
// the setting btf.path.
[[nodiscard]] Kernel probe(const std::string& btf_path = "");

// Names in TAPIO_WITHOUT that no feature has: a typing error must not pass for a test.
[[nodiscard]] std::vector<std::string> unknown_in_without();

// The hierarchy whose cgroup ids events carry: v2 where containers live there, else v1 memory, pids
// or name=systemd, whichever is mounted first in that order. Without BTF there are no events, and
// it is the one whose files are read.
struct Hierarchy {
  std::uint32_t subsystem = TAPIO_CGROUP_V2;  // for tapio_settings
  std::string mount;                          // "" when no cgroup file system is mounted
  std::string name = "v2";
};
[[nodiscard]] Hierarchy find_hierarchy(const Btf& btf);
// Whether what is there now is a cgroup file system: it may have been unmounted, or hidden.
[[nodiscard]] bool is_cgroup_mount(const std::string& path);

// The id of a control group as events carry it, from its open directory; 0: cannot be told. It is
// the inode number, but before 5.5, where its upper half is a generation that only the file handle
// has (40430452fd5d).
[[nodiscard]] std::uint64_t cgroup_id_of(int directory);

// For tests: the choice alone, from the text of /proc/self/mountinfo and of /proc/self/cgroup.
struct MountedHierarchies {
  std::string v2;                         // mount point
  std::map<std::string, std::string> v1;  // controller, or "name=systemd" -> mount point
};
[[nodiscard]] MountedHierarchies parse_mountinfo(std::string_view mountinfo);

// Below 5.11 maps count against RLIMIT_MEMLOCK: lifts it. A refusal is logged as a warning.
void raise_memlock();

// What the loading library has to say goes to the debug log, and nowhere else.
void log_at_debug_level();

// The agent's pid namespace for tapio_settings; zeroes when it is the initial one.
struct PidNamespace {
  std::uint64_t dev = 0, ino = 0;
};
[[nodiscard]] PidNamespace own_pid_namespace();

}  // namespace tapio::capture
