// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// Whose a control group is, by its path alone.
namespace tapio {

// What the path says; "" is what it does not say. Nothing is guessed: an id that is too short, a
// pod uid that is none, a name of no runtime give nothing.
//
// From the root down, later words replace earlier ones:
// - A container is the innermost whose id is there. Runtimes name their cgroups by it:
// "docker-ID.scope",
//   "cri-containerd-ID.scope", "crio-ID.scope", "libpod-ID.scope", "nerdctl-ID.scope", the first
//   and last two of them also without ".scope"; or "docker/ID", "default/ID", and, in a pod, the
//   bare ID, which does not tell the runtime. "crio-conmon-" and "libpod-conmon-" watch a container
//   and are not in it.
// - A pod that begins below a container is not that container's (a node of kind is a container with
//   pods in it), so the container goes. A container that begins in a pod belongs to it.
// - A unit is of the innermost systemd, the host's or the one that a container runs. So a container
//   with a unit either runs in that unit of the host or has a systemd of its own. The scope that a
//   runtime made for a container is that container and no unit.
//
// Anybody may be given the right to make directories below his own (delegation), and call them what
// he likes.
struct CgroupIdentity {
  std::string_view runtime;  // static
  std::string_view container_id;
  std::string pod_uid;
  std::string_view qos;  // static
  std::string_view unit;
  std::string_view user_unit;
  bool operator==(const CgroupIdentity&) const = default;
};

// Views are of `path`. Paths that begin with "/.." or "…" are those whose head cannot be seen; what
// there is of them is read alike.
[[nodiscard]] CgroupIdentity identify_cgroup(std::string_view path);

}  // namespace tapio
