// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "record/record.hpp"

// What a container runtime says of its containers: what a cgroup's path cannot tell.
namespace tapio {

enum class ContainerState : std::uint8_t { unknown, created, running, exited };
[[nodiscard]] std::string_view name(ContainerState state);

// The latest word of a runtime on one container, as the Container Runtime Interface has it
// (k8s.io/cri-api, runtime.v1: ContainerStatus, PodSandboxStatus), or Docker's API.
struct ContainerDescribed {
  MonotonicTime time{};  // when it answered
  RecordId evidence{};
  std::string_view id;       // as in Cgroup::container_id
  std::string_view runtime;  // "containerd", "cri-o", "docker", "podman"
  std::string_view name;     // in Kubernetes the one in the pod's spec
  std::string_view image;    // as it was asked for: "docker.io/library/nginx:1.25"
  std::string_view pod_name, pod_namespace, pod_uid;  // "": no pod's
  std::string_view sandbox_id;                        // of its pod; its own, of a sandbox
  bool sandbox = false;        // holds the pod's namespaces ("pause"), and is none of its spec
  std::uint32_t restarts = 0;  // as the runtime counts ("attempt")
  ContainerState state{};
  std::int32_t exit_code = 0;    // of one that has exited
  std::string_view exit_reason;  // "OOMKilled", "Error", "Completed"; as the runtime says
};

// A runtime was asked for a container: what is told of it may wait for the answer, but not longer.
struct ContainerAwaited {
  MonotonicTime time{};
  std::string_view id;
  MonotonicTime until{};
};

// No runtime knows it, or none answered in time: nobody waits any longer.
struct ContainerUnnamed {
  MonotonicTime time{};
  std::string_view id;
};

}  // namespace tapio
