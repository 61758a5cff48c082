// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/view.hpp"

namespace tapio::usage {

inline constexpr std::string_view kOthers = "(others)";

inline constexpr Field kWindow{"window", Type::duration, "How long the interval was.", {}, "s"};
inline constexpr Field kProcesses{"process.count", Type::u64, "How many processes that are.",
                                  "PROCESSES", "1"};
inline constexpr Field kCpu{"process.cpu.utilization", Type::f64,
                            "CPUs that were busy with them, in the mean of the interval.", "CPUS",
                            "1"};
inline constexpr Field kMemory{
    "process.memory.usage", Type::u64,
    "Resident memory, summed up: what they share counts for each of them.", "RSS", "By"};

inline constexpr SchemaOf kProgram{
    "process.usage",
    Kind::metric,
    "What the living processes of one name use. The time is that of the interval's end.",
    Field{"process.executable.name", Type::text,
          "comm; (others): all that are not among the largest.", "PROGRAM"},
    kWindow,
    kProcesses,
    kCpu,
    kMemory};

inline constexpr SchemaOf kCgroup{
    "cgroup.usage",
    Kind::metric,
    "What the living processes of one cgroup use. The time is that of the interval's end.",
    Field{"tapio.cgroup.id", Type::u64,
          "Which; missing: all that are not among the largest, or not known.", "CGROUP"},
    kWindow,
    kProcesses,
    kCpu,
    kMemory};

inline constexpr const Schema* kSchemas[] = {&kProgram, &kCgroup};

inline constexpr ViewOf kPrograms{View{.name = "usage",
                                       .help = "What living processes use now, by program.",
                                       .schema = &kProgram,
                                       .head = "PROGRAM",
                                       .keys = {"process.executable.name"},
                                       .in_overview = true},
                                  figure::most_of("CPUS", "process.cpu.utilization"),
                                  figure::most_of("RSS", "process.memory.usage"),
                                  figure::most_of("PROCESSES", "process.count")};

inline constexpr ViewOf kCgroups{
    View{.name = "usage-containers",
         .help = "The same by container, else by systemd unit or cgroup.",
         .schema = &kCgroup,
         .head = "CONTAINER",
         .keys = {"container.id", "systemd.unit", "tapio.cgroup.path"},
         .in_overview = true},
    figure::most_of("CPUS", "process.cpu.utilization"),
    figure::most_of("RSS", "process.memory.usage"), figure::most_of("PROCESSES", "process.count")};

inline constexpr const View* kViews[] = {&kPrograms, &kCgroups};

}  // namespace tapio::usage
