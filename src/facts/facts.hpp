// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "record/record.hpp"

// What observers tell each other and the stories, typed. A fact is applied to the World before the
// record that carries it reaches anybody. Views live until the call that hands the fact out
// returns.
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

// "<boot id, 8 digits>-<pid>-<start ticks>": unique across nodes' restarts.
[[nodiscard]] std::string text(ProcessId id);

// cred(9): user and group ids as the initial user namespace has them; capability sets as bit masks.
struct Credentials {
  std::uint32_t uid = 0, euid = 0, suid = 0;
  std::uint32_t gid = 0, egid = 0, sgid = 0;
  std::uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
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
  std::string_view name;  // comm
};

struct ProcessExecuted {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  ProcessId parent;
  std::uint32_t virtual_pid = 0;
  std::uint64_t pid_namespace = 0;
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

// Who made a signal, as the kernel's own siginfo tells (include/uapi/asm-generic/siginfo.h), not as
// the receiver is told: a sender may write what it likes into si_pid.
enum class SignalClass : std::uint8_t {
  user,          // kill(2), pidfd_send_signal(2)
  tkill,         // tkill(2), tgkill(2), pthread_kill(3)
  queue,         // sigqueue(3), message queues, asynchronous I/O
  timer,         // timer_create(2), setitimer(2), alarm(2)
  kernel_fault,  // SIGSEGV and the like, caused by the target's own instruction
  kernel,        // anything else the kernel sends by itself
  unknown,
};
[[nodiscard]] std::string_view name(SignalClass c);

// enum in include/trace/events/signal.h
enum class SignalResult : std::int32_t {
  delivered,
  ignored,
  already_pending,
  overflow_fail,
  lose_info,
};
[[nodiscard]] std::string_view name(SignalResult r);

struct SignalSent {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId sender;  // none for timers, faults and the kernel: who ran then did not send it
  std::string_view sender_name;
  std::uint64_t sender_cgroup_id = 0;
  ProcessId target;
  std::string_view target_name;
  std::uint64_t target_cgroup_id = 0;
  std::uint32_t target_tid = 0;
  std::int32_t signal = 0;
  std::int32_t code = 0;  // si_code
  SignalClass by = SignalClass::unknown;
  SignalResult result = SignalResult::delivered;
  bool lethal = false;  // when it was sent, nothing in the target would have survived it
};

// "SIGKILL"; "SIGRTMIN+3"; "signal 77".
[[nodiscard]] std::string signal_name(std::int32_t signal);
// The number for "SIGKILL", "KILL", "kill", "9", "RTMIN+3"; 0 for anything else.
[[nodiscard]] std::int32_t signal_number(std::string_view name);

// Something of a stream was not seen: stories that rest on "nothing happened" must know.
struct Lost {
  MonotonicTime from{}, to{};
  std::string_view observer;
  tapio_class event_class = TAPIO_NORMAL;
  std::uint64_t count = 0;
};

using Fact = std::variant<ProcessStarted, ProcessExecuted, ProcessExited, SignalSent, Lost>;

// For `Descriptor::provides` and `needs`: the bit of a kind of fact.
template <typename T, typename Variant>
struct FactIndex;
template <typename T, typename... Kinds>
struct FactIndex<T, std::variant<Kinds...>> {
  static constexpr std::size_t value = [] {
    std::size_t i = 0;
    (void)((std::is_same_v<T, Kinds> || (++i, false)) || ...);
    return i;
  }();
};
using FactSet = std::uint32_t;
template <typename... Kinds>
inline constexpr FactSet facts_of = ((FactSet{1} << FactIndex<Kinds, Fact>::value) | ... | 0u);

}  // namespace tapio
