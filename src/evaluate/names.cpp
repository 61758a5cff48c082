// SPDX-License-Identifier: Apache-2.0
#include "evaluate/names.hpp"

#include <fmt/format.h>

#include <ranges>

namespace tapio {

std::string label_at(const Process& process, MonotonicTime time) {
  if (process.executed <= time) return label(process.name, process.id);
  return fmt::format("a process (pid {}, now {})", process.id.pid, process.name);
}

// The name it got by its exec, which says more than what it made of that (node's is "MainThread").
// Who never executed has a name of its own only if it took one, and then the last record knows it.
std::string who(const Death& death, const World& world) {
  const Process* process = world.process(death.process);
  const bool own = process && process->executed.count() != 0;
  const auto known = process ? std::string_view(process->name) : std::string_view();
  const auto name = (own && !known.empty()) || death.name.empty() ? known : death.name;
  return label(name, death.process);
}

std::string who(const Sent& sent, const Shot& shot, const World& world) {
  if (!sent.sender) return "a process that is not known";
  const Process* process = world.process(sent.sender);
  // The comm in the signal is that of the sending thread; the name of the process says more, but
  // where it is only that of the parent.
  const bool forked = process && process->executed.count() == 0 && process->started.count() != 0;
  const bool same = process && !process->name.empty() && process->executed <= shot.time &&
                    !(forked && !sent.sender_name.empty());
  return label(same ? process->name : sent.sender_name, sent.sender);
}

std::string lineage(ProcessId id, MonotonicTime time, const World& world) {
  std::string text;
  for (const Process* ancestor : std::views::reverse(world.ancestors(id))) {
    if (!text.empty()) text += " › ";
    text += label_at(*ancestor, time);
  }
  return text;
}

Beginning beginning(ProcessId id, const World& world) {
  const Process* process = world.process(id);
  if (process && process->started.count() != 0) return {.time = process->started, .seen = true};
  return {.time = told_start(id), .seen = false};
}

}  // namespace tapio
