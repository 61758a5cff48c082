// SPDX-License-Identifier: Apache-2.0
#include "facts/facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>

namespace tapio {

namespace {

// The numbers that x86_64 and arm64 share (include/uapi/asm-generic/signal.h).
constexpr std::string_view kPrefix = "SIG";
constexpr std::array<std::string_view, 32> kSignals = {
    "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};
constexpr std::int32_t kRealtimeMin = 34;  // glibc keeps 32 and 33 for itself
constexpr std::int32_t kRealtimeMax = 64;

std::string& kept_boot_id() {
  static std::string id = [] {
    std::string line;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), line);
    return line.substr(0, 8);
  }();
  return id;
}

std::int32_t number(std::string_view digits) {
  std::int32_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  return whole && n >= 0 && n <= kRealtimeMax ? n : 0;
}

}  // namespace

std::string_view boot_id() {
  return kept_boot_id();
}

void set_boot_id(std::string_view id) {
  kept_boot_id() = id;
}

std::string text(ProcessId id) {
  std::array<char, kMaxIdText> room;
  return std::string(text(id, room));
}

std::string_view text(ProcessId id, std::span<char, kMaxIdText> room) {
  char* const end = room.data() + room.size();
  char* at = std::ranges::copy(boot_id(), room.data()).out;
  *at++ = '-';
  at = std::to_chars(at, end, id.pid).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, id.start_ticks).ptr;
  return {room.data(), at};
}

std::string label(std::string_view name, std::uint32_t pid) {
  return fmt::format("{} (pid {})", name.empty() ? "a process" : name, pid);
}

std::string label(std::string_view name, ProcessId id) {
  return label(name, id.pid);
}

std::string_view name(SignalClass c) {
  switch (c) {
    case SignalClass::user:
      return "user";
    case SignalClass::tkill:
      return "tkill";
    case SignalClass::queue:
      return "queue";
    case SignalClass::timer:
      return "timer";
    case SignalClass::kernel_fault:
      return "kernel_fault";
    case SignalClass::kernel:
      return "kernel";
    case SignalClass::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view name(SignalResult r) {
  switch (r) {
    case SignalResult::delivered:
      return "delivered";
    case SignalResult::ignored:
      return "ignored";
    case SignalResult::already_pending:
      return "already_pending";
    case SignalResult::overflow_fail:
      return "overflow_fail";
    case SignalResult::lose_info:
      return "lose_info";
  }
  return "unknown";
}

std::string_view name(CredentialsVia via) {
  switch (via) {
    case CredentialsVia::exec:
      return "exec";
    case CredentialsVia::syscall:
      return "syscall";
    case CredentialsVia::found:
      return "found";
  }
  return "found";
}

std::string_view name(ContainerState state) {
  switch (state) {
    case ContainerState::unknown:
      return "unknown";
    case ContainerState::created:
      return "created";
    case ContainerState::running:
      return "running";
    case ContainerState::exited:
      return "exited";
  }
  return "unknown";
}

std::string_view name(Detection detection) {
  switch (detection) {
    case Detection::signal_storm:
      return "signal_storm";
    case Detection::kill_chain:
      return "kill_chain";
    case Detection::crash_loop:
      return "crash_loop";
    case Detection::fork_bomb:
      return "fork_bomb";
    case Detection::exec_failure_loop:
      return "exec_failure_loop";
    case Detection::signal_across_border:
      return "signal_across_border";
    case Detection::privilege_gain:
      return "privilege_gain";
    case Detection::oom_predicted:
      return "oom_predicted";
  }
  return "unknown";
}

std::string signal_name(std::int32_t signal) {
  if (signal > 0 && signal < std::ssize(kSignals)) return std::string(kSignals[signal]);
  if (signal == kRealtimeMin) return "SIGRTMIN";
  if (signal > kRealtimeMin && signal <= kRealtimeMax)
    return fmt::format("SIGRTMIN+{}", signal - kRealtimeMin);
  return fmt::format("signal {}", signal);
}

std::int32_t signal_number(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  std::string_view word = upper;
  if (word.starts_with(kPrefix)) word.remove_prefix(kPrefix.size());
  if (word == "RTMIN") return kRealtimeMin;
  if (word.starts_with("RTMIN+")) {
    const auto above = number(word.substr(6));
    return above && kRealtimeMin + above <= kRealtimeMax ? kRealtimeMin + above : 0;
  }
  const auto known = std::ranges::find_if(kSignals, [&](std::string_view each) {
    return !each.empty() && each.substr(kPrefix.size()) == word;
  });
  if (known != kSignals.end()) return static_cast<std::int32_t>(known - kSignals.begin());
  return number(word);
}

}  // namespace tapio
