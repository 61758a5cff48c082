// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <optional>

#include "observer.hpp"
#include "process.abi.h"
#include "process_text.hpp"

// Beginnings and ends of processes, of which a machine has the most. Their samples are read for the
// facts; records of them are made only when somebody is to get them, then or later.
namespace tapio::process {

struct Forked {
  tapio_process_fork event;
  Origin origin;  // the newborn
  std::string_view name;
};
struct Executed {
  tapio_process_exec event;
  Origin origin;
  std::string_view name, executable;
  std::string_view filename, cwd;  // as in the sample, which they are part of; a path leaf first
  Args args;
};
struct Exited {
  tapio_process_exit event;
  Origin origin;
  std::string_view name;
};

// A fault: the sample is malformed.
[[nodiscard]] Result<Forked> forked(const wire::Sample& sample, Arena& arena);
[[nodiscard]] Result<Executed> executed(const wire::Sample& sample, Arena& arena);
[[nodiscard]] Result<Exited> exited(const wire::Sample& sample, Arena& arena);

[[nodiscard]] Record record_of(const Forked& forked);
[[nodiscard]] Record record_of(const Executed& executed, Arena& arena);
[[nodiscard]] Record record_of(const Exited& exited, const Clocks& clocks, Arena& arena);
// Nothing: it is of another kind, or malformed.
[[nodiscard]] std::optional<Record> record_of(const wire::Sample& sample, const Clocks& clocks,
                                              Arena& arena);

// What these have in common with the other events.
[[nodiscard]] Origin origin_of(const tapio_event_header& header);
[[nodiscard]] ProcessId id(std::uint32_t tgid, std::uint64_t start_ns);
// 16 digits, as in /proc/PID/status.
[[nodiscard]] std::string_view capabilities(std::uint64_t set, Arena& arena);
[[nodiscard]] Value signal_value(std::int32_t signal, Arena& arena);
// To its end. `end` is of an exit or a death.
[[nodiscard]] std::chrono::nanoseconds uptime(const tapio_process_exit& end, const Clocks& clocks);
template <std::size_t N>  // NUL-terminated or full, never trusted to be either
std::string_view keep(const char (&text)[N], Arena& arena) {
  return arena.keep({text, ::strnlen(text, N)});
}

}  // namespace tapio::process
