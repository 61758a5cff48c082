// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "record/record.hpp"

// Who a process is, and what becomes of it.
namespace tapio {

// A process (thread group) for as long as the machine is up, safe under pid reuse: its pid in the
// initial pid namespace and the start time of its group leader in USER_HZ ticks since boot, which
// /proc/PID/stat (field 22) and the kernel's start_boottime give alike.
struct ProcessId {
  std::uint32_t pid = 0;  // 0: no process
  std::uint64_t start_ticks = 0;
  auto operator<=>(const ProcessId&) const = default;
  explicit operator bool() const { return pid != 0; }
};

// USER_HZ is 100 on every architecture that Tapio runs on (include/asm-generic/param.h).
inline constexpr std::uint64_t kNsPerTick = 10'000'000;
constexpr std::uint64_t ticks_of(std::uint64_t start_boottime_ns) {
  return start_boottime_ns / kNsPerTick;
}
// When it started, to a tick, for who did not see it: on CLOCK_BOOTTIME, which goes on in a
// suspend. At most kLatestTime, whatever an id from outside says.
constexpr MonotonicTime told_start(ProcessId id) {
  constexpr auto kLatestTick = static_cast<std::uint64_t>(kLatestTime.count()) / kNsPerTick;
  return MonotonicTime(std::min(id.start_ticks, kLatestTick) * kNsPerTick);
}

// "<boot id, 8 digits>-<pid>-<start ticks>": unique across nodes' restarts.
[[nodiscard]] std::string text(ProcessId id);
// What people read: "nginx (pid 900)"; without a name "a process (pid 900)".
[[nodiscard]] std::string label(std::string_view name, std::uint32_t pid);
[[nodiscard]] std::string label(std::string_view name, ProcessId id);
inline constexpr std::size_t kMaxIdText = 48;
// The same into a place of the caller's, for who does it for each record. Returns what was written.
[[nodiscard]] std::string_view text(ProcessId id, std::span<char, kMaxIdText> room);

// The head of this boot's id.
[[nodiscard]] std::string_view boot_id();
// For a replay, before the first text(ProcessId) of it: ids are those of the boot that is replayed.
void set_boot_id(std::string_view id);

// cred(9): user and group ids as the initial user namespace has them; capability sets as bit masks.
struct Credentials {
  std::uint32_t uid = 0, euid = 0, suid = 0;
  std::uint32_t gid = 0, egid = 0, sgid = 0;
  std::uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
  // Inode number of the user namespace that the capabilities hold in; 0: not known.
  std::uint64_t user_namespace = 0;
  auto operator<=>(const Credentials&) const = default;
};

struct ProcessStarted {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  ProcessId parent;
  std::uint32_t virtual_pid = 0;    // in its own pid namespace
  std::uint64_t pid_namespace = 0;  // inode number
  std::uint64_t cgroup_id = 0;
  std::uint32_t uid = 0;
  // Those of the one that forked it, but for a child in a user namespace of its own. Nothing: only
  // `uid` is known.
  std::optional<Credentials> credentials{};
  std::string_view name;  // comm
};

struct ProcessExecuted {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  ProcessId parent;
  std::uint32_t virtual_pid = 0;
  std::uint64_t pid_namespace = 0;
  std::uint64_t mount_namespace = 0;  // inode number; 0: not known
  std::uint64_t cgroup_id = 0;
  Credentials credentials;
  std::string_view name;
  std::string_view executable;  // resolved, as seen from its mount namespace; "": not known
  std::span<const std::string_view> args;  // secrets are already gone
  std::uint64_t args_bytes = 0;            // as the kernel had them; more than `args` when cut
};

struct ProcessExited {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  ProcessId parent;
  std::uint64_t cgroup_id = 0;
  std::int32_t code = 0;    // exit status 0..255; meaningless when `signal` is set
  std::int32_t signal = 0;  // that killed it; 0: exited by itself
  bool core_dumped = false;
  std::string_view name;
};

// Processes multiply in a cgroup, as the kernel side counts: forks without an exec, generation
// after generation.
struct Multiplied {
  MonotonicTime time{};
  RecordId evidence{};
  std::uint64_t cgroup_id = 0;
  ProcessId process;  // the newborn that made it so
  ProcessId parent;
  std::string_view name;      // comm
  std::uint32_t births = 0;   // in the last seconds, five forks or more after the last exec
  std::uint32_t living = 0;   // of those, not ended
  std::uint32_t deepest = 0;  // generation
};

// execve(2) or execveat(2) returned an error.
struct ExecFailed {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  ProcessId parent;
  std::uint64_t cgroup_id = 0;
  // errno; 0: not known, concluded from the exit status. execvp(3) tries each directory of PATH:
  // one ENOENT for each that does not have the file.
  std::int32_t error = 0;
  std::int32_t status = 0;    // then that status: 126, 127 or 203; 0: the call itself was seen
  std::string_view filename;  // as it was given; "": not known
  std::string_view name;      // comm
};

// How a change of credentials came to be known.
enum class CredentialsVia : std::uint8_t {
  exec,     // by execve(2): a file with setuid, setgid or file capabilities, or what was to be
            // inherited
  syscall,  // setuid(2), capset(2), setns(2) and the like, seen as it happened
  found,    // some time since it was last looked at: at the fork of a child, at an exec that cannot
            // have done it, or at the end
};
[[nodiscard]] std::string_view name(CredentialsVia via);

struct CredentialsChanged {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  std::uint64_t cgroup_id = 0;
  Credentials before, after;
  CredentialsVia via = CredentialsVia::found;
  // It may do more than before: became root, or has capabilities that it had not even permitted,
  // in the same user namespace.
  bool gained = false;
  // Of an exec: the file has the set-user-ID or set-group-ID bit.
  bool set_id_file = false;
  std::string_view name;
  std::string_view executable;
};

// A process got control over another one: ptrace(2), or the right to read and write its memory.
struct Traced {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId tracer;
  std::string_view tracer_name;
  std::uint64_t tracer_cgroup_id = 0;
  ProcessId target;
  std::string_view target_name;
  std::uint64_t target_cgroup_id = 0;
  // "attach": PTRACE_ATTACH or PTRACE_SEIZE; "traceme": PTRACE_TRACEME, the target asked for it;
  // "access": the kernel allowed control of it, by ptrace(2), /proc/PID/mem, process_vm_writev(2)
  // or the like.
  std::string_view request;
};

}  // namespace tapio
