// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/record.hpp"

// What the observer reports. Names are OpenTelemetry's (registries "container" and "k8s") where it
// has one. The process is who did it; the cgroup, and all that is said of it, is the one it was
// done to.
namespace tapio::container {

inline constexpr Field kCgroupId{"tapio.cgroup.id", Type::u64, "Inode of its directory."};
inline constexpr Field kPath{
    "tapio.cgroup.path", Type::text,
    "From the root of the hierarchy; begins the same, and ends with … when "
    "it was cut.",
    "CGROUP"};
inline constexpr Field kContainerId{"container.id", Type::text, "Its container, innermost.",
                                    "CONTAINER"};
inline constexpr Field kRuntime{"container.runtime.name", Type::text,
                                "docker, containerd, cri-o or podman.", "RUNTIME"};
inline constexpr Field kPodUid{"k8s.pod.uid", Type::text, "Its pod."};
inline constexpr Field kQos{"k8s.pod.qos_class", Type::text,
                            "Guaranteed, Burstable or BestEffort."};
inline constexpr Field kUnit{"systemd.unit", Type::text, "Its unit of systemd.", "UNIT"};
inline constexpr Field kUserUnit{"systemd.user_unit", Type::text,
                                 "Its unit of the user's systemd, within systemd.unit."};

inline constexpr SchemaOf kCreated{"container.cgroup.created",
                                   Kind::event,
                                   "A control group was made.",
                                   kCgroupId,
                                   kContainerId,
                                   kRuntime,
                                   kPodUid,
                                   kQos,
                                   kUnit,
                                   kUserUnit,
                                   kPath};

inline constexpr SchemaOf kRemoved{
    "container.cgroup.removed",
    Kind::event,
    "A control group was removed.",
    kCgroupId,
    kContainerId,
    kRuntime,
    kPodUid,
    kQos,
    kUnit,
    kUserUnit,
    Field{"container.cgroup.lifetime", Type::duration,
          "How long it was there; missing when it began unseen.", "LIFETIME", "s"},
    kPath};

inline constexpr SchemaOf kLimitChanged{
    "container.limit.changed",
    Kind::event,
    "A limit of a control group is another one than before.",
    kCgroupId,
    kContainerId,
    kRuntime,
    kPodUid,
    kQos,
    kUnit,
    kUserUnit,
    Field{"container.limit.name", Type::text,
          "memory.max (bytes), cpu.max (thousandths of a CPU) or pids.max, also on v1.", "LIMIT"},
    Field{"container.limit.before", Type::u64, "Missing when there was none.", "BEFORE"},
    Field{"container.limit.after", Type::u64, "Missing when there is none.", "AFTER"},
    Field{"container.limit.since", Type::time, "When it still was the one before."},
    kPath};

}  // namespace tapio::container
