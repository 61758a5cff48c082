// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/finding.hpp"
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

inline constexpr SchemaOf kMoved{
    "container.process.moved",
    Kind::event,
    "A process was moved to another control group, the one that the record names. process.pid is "
    "who moved it.",
    Field{"container.moved.pid", Type::u64, "Which process.", "MOVED"},
    Field{"container.moved.name", Type::text, "Its name.", "COMMAND"},
    Field{"container.moved.from", Type::text, "The path of the group that it was in.", "FROM"}};

// Of a whole container. Which one it is, and whose, stands beside these fields.
inline constexpr Field kExitCode{"container.exit.code", Type::i64,
                                 "Exit status of its main process; missing after a signal.",
                                 "CODE"};
inline constexpr Field kExitSignal{"container.exit.signal", Type::text,
                                   "The signal that ended its main process.", "SIGNAL"};
inline constexpr Field kExitOom{"container.exit.oom", Type::boolean,
                                "Its main process was killed because memory ran out.", "OOM"};
inline constexpr Field kExitLifetime{"container.lifetime", Type::duration,
                                     "How long its main process ran.", "LIFETIME", "s"};
inline constexpr Field kExitAsked{
    "container.exit.asked_by", Type::text,
    "Who, outside, had asked it to end by the signal that it ended by.", "ASKED BY"};
inline constexpr Field kExitOomKills{"container.oom_kills", Type::u64,
                                     "Processes in it that were killed because memory ran out."};

inline constexpr SchemaOf kContainerCreated{
    "container.created", Kind::event, "A container is being made: its control group is there."};
inline constexpr SchemaOf kContainerStarted{
    "container.started", Kind::event, "A container runs: process.pid is its main process.",
    Field{"container.startup", Type::duration,
          "Since its control group was made; missing when that was not seen.", "STARTUP", "s"}};
inline constexpr SchemaOf kContainerStopped{
    "container.stopped",
    Kind::event,
    "A container has ended well: with status 0, or because it was asked to. process.pid was its "
    "main process.",
    kExitCode,
    kExitSignal,
    kExitOom,
    kExitLifetime,
    kExitAsked,
    kExitOomKills};
inline constexpr SchemaOf kContainerDied{
    "container.died",
    Kind::event,
    "A container has ended badly: another status, a signal that nobody outside sent, or for want "
    "of memory. process.pid was its main process.",
    kExitCode,
    kExitSignal,
    kExitOom,
    kExitLifetime,
    kExitAsked,
    kExitOomKills};
inline constexpr SchemaOf kContainerOom{
    "container.oom", Kind::event,
    "A process of a container, process.pid, was killed because memory ran out.",
    Field{"container.oom.main", Type::boolean, "It was its main process: the container ends.",
          "MAIN"}};
inline constexpr SchemaOf kContainerRemoved{
    "container.removed", Kind::event, "A container is gone: its control group was removed.",
    Field{"container.age", Type::duration,
          "Since its control group was made; missing when that was not seen.", "AGE", "s"}};

inline constexpr SchemaOf kContainerLeft{
    "container.left",
    Kind::finding,
    "A process in a container got out of it: into a control group, mount namespace or pid "
    "namespace of the host or of another container.",
    kSeverity,
    kEntity,
    kSummary,
    kSuggestion,
    kCount,
    kWindow,
    kEvidence,
    Field{"container.left.way", Type::text, "cgroup, mount_namespace or pid_namespace.", "WAY"}};

}  // namespace tapio::container
