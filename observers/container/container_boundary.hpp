// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "base/lru.hpp"
#include "observer.hpp"

namespace tapio::container {

// A process that leaves the container it is in: its cgroup, or for the mount or pid namespace of
// the host or of another container. New namespaces below its own are no way out.
class Boundary {
 public:
  static constexpr std::size_t kMaxProcesses = 8192;  // beyond: the one that executed longest ago
  static constexpr std::size_t kMaxContainers = 4096;
  static constexpr std::size_t kMaxTold = 1024;  // held back from repetition
  static constexpr std::chrono::nanoseconds kRepeat = std::chrono::minutes(1);
  static constexpr std::uint64_t kHostPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO

  // The inode of the host's mount namespace; 0: not known, and then no mount namespace is the
  // host's.
  explicit Boundary(std::uint64_t host_mounts) : host_mounts_(host_mounts) {}

  void on(const ProcessMoved& fact, Output& out);
  void on(const ProcessExecuted& fact, Output& out);
  void on(const ProcessStarted& fact, Output& out);

 private:
  struct Crossing {
    MonotonicTime time{};
    RecordId evidence{};
    ProcessId process;
    std::uint64_t cgroup_id = 0;  // of the container
    std::string_view way;         // "cgroup", "mount_namespace", "pid_namespace"
    Severity severity = Severity::critical;
    std::string what;  // "went to cgroup /x"
  };
  struct Incident {
    MonotonicTime told{};
    std::uint64_t count = 0;  // of it since then
  };
  void tell(const Crossing& crossing, Output& out);

  std::uint64_t host_mounts_;
  Lru<ProcessId, std::uint64_t, ProcessIdHash> mounts_{kMaxProcesses};  // of those in containers
  Lru<std::uint64_t, std::string> homes_{kMaxContainers};  // mount namespace: whose, by its main
  Lru<std::string, Incident> told_{kMaxTold};              // container and way
};

}  // namespace tapio::container
