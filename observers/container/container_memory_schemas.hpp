// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container_schemas.hpp"
#include "record/finding.hpp"

// Memory of cgroups with a limit, what waited for it, and what will become of it. Names are
// OpenTelemetry's where it has one ("container.memory.usage", "system.memory.limit").
namespace tapio::container {

inline constexpr Field kUsage{"container.memory.usage", Type::u64, "Memory that it uses.", "USED",
                              "By"};
inline constexpr Field kLimit{"container.memory.limit", Type::u64,
                              "Its limit; missing: none of its own.", "LIMIT", "By"};
inline constexpr Field kSwap{"container.memory.swap", Type::u64, "Swap that it uses.", "", "By"};
inline constexpr Field kHits{
    "container.memory.limit.hits", Type::u64,
    "How often it came to the limit so far (memory.events max; v1: memory.failcnt).", "HITS", "1"};
inline constexpr Field kHigh{"container.memory.high.hits", Type::u64,
                             "How often it was slowed down above memory.high so far; v2.", "", "1"};
inline constexpr Field kOom{
    "container.memory.ooms", Type::u64,
    "How often there was nothing left to give back at the limit so far; v2.", "", "1"};
inline constexpr Field kOomKills{"container.memory.oom_kills", Type::u64,
                                 "Processes in it that were killed for it so far.", "", "1"};
inline constexpr Field kSome{
    "container.memory.pressure.some", Type::f64,
    "Percent of the last 10 s in which some task of it waited for memory (PSI); v2.", "WAITS", "%"};
inline constexpr Field kFullStall{"container.memory.pressure.full", Type::f64,
                                  "The same of all tasks that had work.", "", "%"};
inline constexpr Field kStalled{"container.memory.pressure.time", Type::duration,
                                "How long some task has waited for memory so far.", "", "s"};
inline constexpr Field kNodeSome{
    "system.memory.pressure.some", Type::f64,
    "Percent of the last 10 s in which some task of the node waited for memory (PSI).", "MEMORY",
    "%"};
inline constexpr Field kNodeFull{"system.memory.pressure.full", Type::f64,
                                 "The same of all tasks that had work.", "", "%"};
inline constexpr Field kNodeAvailable{"system.linux.memory.available", Type::u64,
                                      "What the node can give out without swapping (MemAvailable).",
                                      "AVAILABLE", "By"};

inline constexpr SchemaOf kMemory{
    "container.memory",
    Kind::metric,
    "Memory of a cgroup with a limit, and what its tasks waited for, as it was read last.",
    kCgroupId,
    kContainerId,
    kRuntime,
    kPodUid,
    kQos,
    kUnit,
    kUserUnit,
    kUsage,
    Field{"container.memory.working_set", Type::u64,
          "Without page cache that was not used lately, as the kubelet counts.", "SET", "By"},
    Field{"container.memory.available", Type::u64, "What the limit leaves of that.", "", "By"},
    kLimit,
    kSwap,
    kHits,
    kHigh,
    kOom,
    kOomKills,
    Field{"container.memory.reclaim.scanned", Type::u64,
          "Pages that the kernel has looked at so far to find some to give back; v2.", "", "1"},
    kSome,
    kFullStall,
    kStalled,
    Field{"container.cpu.periods", Type::u64,
          "Periods of cpu.max so far in which somebody wanted to run.", "", "1"},
    Field{"container.cpu.throttled", Type::u64, "Of these, those in which the CPU was taken away.",
          "THROTTLED", "1"},
    Field{"container.cpu.throttled.time", Type::duration, "How long it was away so far.", "", "s"},
    kPath};

inline constexpr SchemaOf kNode{
    "node.pressure",
    Kind::metric,
    "What tasks of the whole node waited for (PSI), and its memory.",
    kNodeSome,
    kNodeFull,
    Field{"system.cpu.pressure.some", Type::f64,
          "Percent of the last 10 s in which some task waited for a CPU.", "CPU", "%"},
    Field{"system.io.pressure.some", Type::f64,
          "Percent of the last 10 s in which some task waited for a disk.", "IO", "%"},
    Field{"system.io.pressure.full", Type::f64, "The same of all tasks that had work.", "", "%"},
    Field{"system.memory.limit", Type::u64, "Memory of the node.", "", "By"},
    kNodeAvailable,
    Field{"system.swap.free", Type::u64, "Swap of the node that is free.", "", "By"}};

inline constexpr SchemaOf kOomKill{
    "container.memory.oom_kill",
    Kind::event,
    "The counter of a cgroup says that processes in it were killed because its memory ran out. "
    "What "
    "is said of pressure and node is from the reading before.",
    kCgroupId,
    kContainerId,
    kRuntime,
    kPodUid,
    kQos,
    kUnit,
    kUserUnit,
    Field{"count", Type::u64, "How many since the reading before.", "KILLED", "1"},
    Field{"container.memory.before", Type::duration, "How long ago the reading before was.", "",
          "s"},
    Field{"container.memory.usage.before", Type::u64, "What it used then.", "BEFORE", "By"},
    kUsage,
    kLimit,
    kSwap,
    kHits,
    kHigh,
    kOom,
    kOomKills,
    kSome,
    kFullStall,
    kStalled,
    kNodeSome,
    kNodeFull,
    kNodeAvailable,
    kPath};

inline constexpr SchemaOf kOomPredicted{
    "container.memory.oom_predicted",
    Kind::finding,
    "A cgroup will have used all of its memory limit in less than a minute, if it goes on so.",
    kSeverity,
    kEntity,
    kSummary,
    kSuggestion,
    kCount,
    kWindow,
    kEvidence,
    kCgroupId,
    kContainerId,
    kRuntime,
    kPodUid,
    kQos,
    kUnit,
    kUserUnit,
    kUsage,
    kLimit,
    Field{"container.memory.load", Type::u64,
          "What of its usage cannot be given back, with what is in swap.", "", "By"},
    Field{"container.memory.growth", Type::f64, "How fast that grows: the middle of the slopes.",
          "", "By/s"},
    Field{"container.memory.left", Type::duration, "Till the limit, at that speed.", "LEFT", "s"},
    Field{"container.memory.left.earliest", Type::duration,
          "At the speed that one slope in ten exceeds.", "", "s"},
    Field{"container.memory.left.latest", Type::duration,
          "At the speed that nine slopes in ten exceed.", "", "s"},
    kSome,
    kPath};

inline constexpr SchemaOf kPredictionEnded{
    "container.memory.oom_prediction.ended",
    Kind::event,
    "What was predicted of a cgroup's memory has come, or will not.",
    kCgroupId,
    kContainerId,
    kRuntime,
    kPodUid,
    kQos,
    kUnit,
    kUserUnit,
    Field{"reason", Type::text,
          "oom_kill: it came. growth_ended, memory_freed or limit_raised: it did not.", "REASON"},
    Field{"container.memory.since", Type::duration, "Since it was predicted.", "AFTER", "s"},
    kUsage,
    kLimit,
    kPath};

}  // namespace tapio::container
