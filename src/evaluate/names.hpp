// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "evaluate/deaths.hpp"
#include "evaluate/signal_memory.hpp"

// How stories call processes.
namespace tapio {

// The name it had at `time`: one that has executed since is "a process (pid 900, now sleep)".
[[nodiscard]] std::string label_at(const Process& process, MonotonicTime time);

[[nodiscard]] std::string who(const Death& death, const World& world);
[[nodiscard]] std::string who(const Sent& sent, const Shot& shot, const World& world);

// "systemd (pid 1) › bash (pid 700)", the eldest first.
[[nodiscard]] std::string lineage(ProcessId id, MonotonicTime time, const World& world);

// When it began. From the start in ticks it is only about right: a suspend counts there.
struct Beginning {
  MonotonicTime time{};
  bool seen = false;  // the start itself
};
[[nodiscard]] Beginning beginning(ProcessId id, const World& world);

}  // namespace tapio
