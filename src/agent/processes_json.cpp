// SPDX-License-Identifier: Apache-2.0
// Who lives, and where, for those who look at the node over HTTP.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agent/kernel_support.hpp"
#include "agent/node.hpp"
#include "base/text.hpp"

namespace tapio::agent {

namespace {

constexpr std::size_t kMaxProcesses =
    16'384;                               // beyond: those of which nothing was heard for longest
constexpr std::size_t kMaxCommand = 256;  // bytes

void append_text(std::string& out, std::string_view key, std::string_view value) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":)", key);
  append_json_string(out, value);
}

// Arguments with blanks between them; the file that runs, when they are not known.
std::string command_of(const Process& process) {
  std::string command = process.image->args_text.substr(0, kMaxCommand);
  while (command.ends_with('\0')) command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  return command.empty() ? process.image->executable : command;
}

// Numbers of cgroups are larger than what a browser can count to.
void append(std::string& out, const Process& process, const Clocks& clocks) {
  fmt::format_to(std::back_inserter(out), R"({{"id":"{}","pid":{},"parent":"{}","cgroup":"{}")",
                 text(process.id), process.id.pid, process.parent ? text(process.parent) : "",
                 process.cgroup_id);
  append_text(out, "name", process.name);
  append_text(out, "command", command_of(process));
  out += R"(,"since":")";
  append_rfc3339(out, wall_time(process.begun(), clocks));
  out += R"("})";
}

void append(std::string& out, const Cgroup& cgroup, const World& world) {
  fmt::format_to(std::back_inserter(out), R"({{"id":"{}")", cgroup.id);
  append_text(out, "path", cgroup.path);
  append_text(out, "container", cgroup.container_id);
  if (const Container* container = world.container(cgroup.container_id)) {
    append_text(out, "container_name", container->name);
    append_text(out, "image", container->image);
    append_text(out, "pod_name", container->pod_name);
    append_text(out, "namespace", container->pod_namespace);
  }
  append_text(out, "runtime", cgroup.runtime);
  append_text(out, "pod", cgroup.pod_uid);
  append_text(out, "unit", cgroup.user_unit.empty() ? cgroup.unit : cgroup.user_unit);
  out += '}';
}

}  // namespace

std::string Node::processes_json() {
  const std::lock_guard lock(state_);
  const KnownWorld& known = pipeline_.known();
  const auto processes = known.living(kMaxProcesses);
  std::set<std::uint64_t> places;
  std::string out = R"({"processes":[)";
  for (const Process* process : processes) {
    if (out.back() != '[') out += ',';
    append(out, *process, pipeline_.clocks());
    places.insert(process->cgroup_id);
  }
  out += R"(],"cgroups":[)";
  for (const std::uint64_t id : places) {
    const Cgroup* cgroup = known.cgroup(id);
    if (!cgroup) continue;
    if (out.back() != '[') out += ',';
    append(out, *cgroup, known);
  }
  fmt::format_to(std::back_inserter(out), R"(],"left_out":{}}})",
                 known.stats().live - processes.size());
  return out;
}

std::string_view Node::kernels_json() {
  return kernel_support();
}

}  // namespace tapio::agent
