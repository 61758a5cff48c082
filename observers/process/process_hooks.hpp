// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "capture/plan.hpp"

namespace tapio::process {

inline constexpr auto kTyped = capture::Feature::btf | capture::Feature::tp_btf;
inline constexpr auto kRaw = capture::Feature::btf | capture::Feature::raw_tp;

inline constexpr capture::Candidate kForkPrograms[] = {{"fork_btf", kTyped}, {"fork_raw", kRaw}};
inline constexpr capture::Candidate kExecPrograms[] = {{"exec_btf", kTyped}, {"exec_raw", kRaw}};
inline constexpr capture::Candidate kExitPrograms[] = {{"exit_btf", kTyped}, {"exit_raw", kRaw}};
inline constexpr capture::Candidate kDeathPrograms[] = {{"death_btf", kTyped}, {"death_raw", kRaw}};
inline constexpr capture::Candidate kGeneratePrograms[] = {{"generate_btf", kTyped},
                                                           {"generate_raw", kRaw}};
inline constexpr capture::Candidate kDeliverPrograms[] = {{"deliver_btf", kTyped},
                                                          {"deliver_raw", kRaw}};

inline constexpr capture::Candidate kOomPrograms[] = {{"oom_btf", kTyped}, {"oom_raw", kRaw}};

// What has no tracepoint: functions of the kernel, else all system calls, where somebody asks for
// that. One program then serves all these hooks.
inline constexpr auto kFentry = capture::Feature::btf | capture::Feature::fentry;
inline constexpr auto kKprobe = capture::Feature::btf | capture::Feature::kprobe;
inline constexpr const char* kSyscalls = "observers.process.syscalls";
inline constexpr capture::Candidate kOnSyscallsTyped{"syscalls_btf", kTyped, kSyscalls};
inline constexpr capture::Candidate kOnSyscallsRaw{"syscalls_raw", kRaw, kSyscalls};

inline constexpr capture::Candidate kCredentialsPrograms[] = {{"credentials_fentry", kFentry},
                                                              {"credentials_kprobe", kKprobe},
                                                              kOnSyscallsTyped,
                                                              kOnSyscallsRaw};
inline constexpr capture::Candidate kTracePrograms[] = {
    {"trace_fexit", kFentry}, {"trace_kprobe", kKprobe}, kOnSyscallsTyped, kOnSyscallsRaw};
inline constexpr capture::Candidate kTracemePrograms[] = {
    {"traceme_fexit", kFentry}, {"traceme_kprobe", kKprobe}, kOnSyscallsTyped, kOnSyscallsRaw};
inline constexpr capture::Candidate kExecFailedPrograms[] = {{"exec_failed_fexit", kFentry},
                                                             {"exec_failed_kretprobe", kKprobe},
                                                             kOnSyscallsTyped,
                                                             kOnSyscallsRaw};

inline constexpr capture::Candidate kMultiplyPrograms[] = {{"multiply_btf", kTyped},
                                                           {"multiply_raw", kRaw}};

// In the order of enum tapio_process_hook.
inline constexpr capture::Hook kHooks[] = {
    {"fork", capture::Need::required, capture::Trigger::canary, kForkPrograms},
    {"exec", capture::Need::required, capture::Trigger::canary, kExecPrograms},
    {"exit", capture::Need::required, capture::Trigger::canary, kExitPrograms},
    {"death", capture::Need::optional, capture::Trigger::canary, kDeathPrograms},
    {"signal_generate", capture::Need::optional, capture::Trigger::canary, kGeneratePrograms},
    {"signal_deliver", capture::Need::optional, capture::Trigger::canary, kDeliverPrograms},
    {"oom", capture::Need::optional, capture::Trigger::passive, kOomPrograms},
    {"credentials", capture::Need::optional, capture::Trigger::passive, kCredentialsPrograms},
    {"trace", capture::Need::optional, capture::Trigger::passive, kTracePrograms},
    {"traceme", capture::Need::optional, capture::Trigger::passive, kTracemePrograms},
    {"exec_failed", capture::Need::optional, capture::Trigger::passive, kExecFailedPrograms},
    {"multiply", capture::Need::optional, capture::Trigger::passive, kMultiplyPrograms},
};

// Bit per hook: served by the program on system calls.
[[nodiscard]] constexpr std::uint32_t served_by_syscalls(std::span<const capture::Choice> choices) {
  std::uint32_t hooks = 0;
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (choices[i].program && std::string_view(choices[i].program).starts_with("syscalls_"))
      hooks |= 1u << i;
  return hooks;
}

}  // namespace tapio::process
