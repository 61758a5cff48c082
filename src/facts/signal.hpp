// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "facts/process.hpp"

// Who sent a signal to whom.
namespace tapio {

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

}  // namespace tapio
