// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/facts.hpp"

namespace tapio {

enum class Life : std::uint8_t { running, exited, unknown };  // unknown: its exit was lost

// What a process runs. An exec replaces it as a whole; a child has its parent's until it executes.
struct ProcessImage {
  std::string executable;        // "": not known (kernel threads have none)
  std::string args_text;         // each argument and a NUL, like /proc/PID/cmdline
  std::uint64_t args_bytes = 0;  // as the kernel had them; more than `args_text` when cut

  [[nodiscard]] std::vector<std::string_view> args() const {
    std::vector<std::string_view> list;
    for (std::string_view rest = args_text; !rest.empty();) {
      const auto end = rest.find('\0');
      list.push_back(rest.substr(0, end));
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    return list;
  }
};
inline const ProcessImage kNoImage{};

// All that is known of one process. Stays readable for a while after it has exited.
struct Process {
  ProcessId id;
  ProcessId parent;          // who forked it, also when it was reparented since
  MonotonicTime started{};   // 0: before the agent, see id.start_ticks
  MonotonicTime executed{};  // its latest exec; 0: none was seen
  RecordId exec_evidence{};  // of that
  MonotonicTime exited{};    // Life::unknown: when it was found gone
  Life life = Life::running;
  std::uint32_t virtual_pid = 0;
  std::uint64_t pid_namespace = 0;
  std::uint64_t mount_namespace = 0;  // of its latest exec, or its parent's; 0: not known
  std::uint64_t cgroup_id = 0;
  const Credentials* credentials = nullptr;  // the World's; nullptr: not known
  std::int32_t exit_code = 0;
  std::int32_t exit_signal = 0;
  std::string name;                       // comm
  const ProcessImage* image = &kNoImage;  // never nullptr; the World's, like the process itself

  // As it was seen, or as its id tells.
  [[nodiscard]] MonotonicTime begun() const {
    return started.count() != 0 ? started : told_start(id);
  }
};

// A control group, and whose it is by its path alone: nothing is guessed, what the path does not
// say is empty. Views are of `path`, or static: a copy does not outlive its original.
struct Cgroup {
  std::uint64_t id = 0;
  std::string path;         // "" : not known
  MonotonicTime created{};  // 0: before the agent
  MonotonicTime removed{};  // 0: it is there
  std::string_view
      runtime;  // "docker", "containerd", "cri-o", "podman"; "": no container, or not told
  std::string_view container_id;  // 64 hexadecimal digits; "": no container
  std::string pod_uid;            // as Kubernetes writes it, with dashes
  std::string_view qos;           // "Guaranteed", "Burstable", "BestEffort"
  std::string_view unit;          // of systemd: "nginx.service", "session-3.scope"
  std::string_view user_unit;     // of the user's systemd, within `unit`
};

// What a runtime last said of a container; see ContainerDescribed.
struct Container {
  std::string id;
  std::string runtime;
  std::string name;
  std::string image;
  std::string pod_name, pod_namespace, pod_uid;
  std::string sandbox_id;
  bool sandbox = false;
  std::uint32_t restarts = 0;
  ContainerState state{};
  std::int32_t exit_code = 0;
  std::string exit_reason;
  MonotonicTime described{};
  RecordId evidence{};
};

// A cgroup's memory over time.
struct MemoryPoint {
  MonotonicTime time{};
  std::uint64_t usage = 0;       // bytes
  std::uint64_t max = kNoLimit;  // bytes
};

// What somebody asked for before it got an address.
struct NameOf {
  // Whether the process itself asked, or another one of its cgroup.
  enum class By : std::uint8_t { process, cgroup } by{};
  std::string_view name;  // see NameResolved
  MonotonicTime answered{};
  RecordId evidence{};
};

// Something that is different since: a candidate for "what changed just before".
struct Change {
  enum class What : std::uint8_t { executable, limit, credentials, restart } what{};
  MonotonicTime time{};
  std::uint64_t cgroup_id = 0;  // where; 0: the node
  std::string text;             // one sentence: "memory.max went from 64 MiB to 32 MiB"
  RecordId evidence{};          // none: no record says so
};

// Who began one after the other has neighbouring buckets, which are in the CPU's cache together.
// Few have had the same pid at the time that any table covers.
struct ProcessIdHash {
  std::size_t operator()(ProcessId id) const { return id.pid; }
};

// The read-only view of what is known. Pointers and references live until the next fact is applied.
class World {
 public:
  virtual ~World() = default;

  [[nodiscard]] virtual const Process* process(ProcessId id) const = 0;
  // The process that has this pid now, or had it last.
  [[nodiscard]] virtual const Process* process(std::uint32_t pid) const = 0;
  // Parent first; at most kMaxAncestors.
  static constexpr std::size_t kMaxAncestors = 16;
  [[nodiscard]] virtual std::vector<const Process*> ancestors(ProcessId id) const = 0;
  // Since when every start, exec and exit was seen, or 0 when that cannot be said.
  [[nodiscard]] virtual MonotonicTime watching_since() const = 0;
  // nullptr: nothing is known of it. Also those removed lately.
  [[nodiscard]] virtual const Cgroup* cgroup(std::uint64_t id) const = 0;
  // By its whole id; nullptr: no runtime has told of it.
  [[nodiscard]] virtual const Container* container(std::string_view id) const = 0;
  // Of a cgroup with a limit, oldest first, about one a second; empty: it is not measured.
  static constexpr std::size_t kMaxMemoryPoints = 120;
  [[nodiscard]] virtual std::vector<MemoryPoint> memory(std::uint64_t cgroup_id) const = 0;
  // In the same container, unit or, failing these, cgroup; oldest first, at most kMaxChanges, the
  // latest of them.
  static constexpr std::size_t kMaxChanges = 16;
  [[nodiscard]] virtual std::vector<Change> changes(std::uint64_t cgroup_id, MonotonicTime from,
                                                    MonotonicTime to) const = 0;
  // By what name a process knows an address; nothing: it is not known, or was answered too long
  // ago.
  [[nodiscard]] virtual std::optional<NameOf> name_of(const IpAddress& address, ProcessId process,
                                                      std::uint64_t cgroup_id,
                                                      MonotonicTime now) const = 0;
  // What cannot be seen on this machine or by this configuration, one sentence each.
  [[nodiscard]] virtual const std::vector<std::string>& blind_spots() const = 0;
  // All that was read of a cgroup with a limit, and of the node, lately; oldest first.
  static constexpr std::size_t kMaxReadings = 16;
  [[nodiscard]] virtual std::vector<CgroupMemory> readings(std::uint64_t) const { return {}; }
  [[nodiscard]] virtual std::vector<NodePressure> node() const { return {}; }
};

}  // namespace tapio
