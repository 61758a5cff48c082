// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/record.hpp"

// What the observer reports. OpenTelemetry has no names for any of it but the process's.
namespace tapio::kmsg {

inline constexpr SchemaOf kOomReport{
    "kernel.oom.report",
    Kind::event,
    "The kernel logged that it killed a process because memory ran out. process.pid is the victim.",
    Field{"process.executable.name", Type::text, "comm of the victim.", "COMMAND"},
    Field{"process.user.id", Type::u64, "User id of the victim."},
    Field{"oom.score_adj", Type::i64, "oom_score_adj of the victim."},
    Field{"oom.in_cgroup", Type::boolean, "A cgroup ran out of memory; else the node.", "CGROUP"},
    Field{"oom.constraint", Type::text, "CONSTRAINT_MEMCG and the like; missing: not logged."},
    Field{"oom.cgroup", Type::text, "Path of the cgroup whose limit was hit.", "LIMIT OF"},
    Field{"oom.task_cgroup", Type::text, "Path of the victim's memory cgroup."},
    Field{"oom.group", Type::text, "Path of the cgroup that memory.oom.group killed as a whole."},
    Field{"oom.chosen_pid", Type::u64, "Whom the kernel chose; others die with it."},
    Field{"oom.invoker.name", Type::text, "comm of whose allocation failed."},
    Field{"oom.invoker.tid", Type::u64, "Its thread id."},
    Field{"process.memory.virtual", Type::u64, "Address space of the victim.", "", "By"},
    Field{"process.memory.anon_rss", Type::u64, "Its resident anonymous memory.", "ANON", "By"},
    Field{"process.memory.file_rss", Type::u64, "Its resident file pages.", "", "By"},
    Field{"process.memory.shmem_rss", Type::u64, "Its resident shared memory.", "", "By"},
    Field{"oom.usage", Type::u64, "Memory that oom.cgroup used.", "USED", "By"},
    Field{"oom.limit", Type::u64, "Its limit; missing: none, or not logged.", "LIMIT", "By"},
    Field{"oom.failures", Type::u64, "How often the limit was hit so far (failcnt).", "", "1"},
    Field{"oom.swap.usage", Type::u64, "Swap that it used.", "", "By"},
    Field{"oom.swap.limit", Type::u64, "Limit of that; missing: none, or not logged.", "", "By"},
    Field{"oom.swap.with_memory", Type::boolean,
          "cgroup v1: these two are of memory and swap together."},
    Field{"oom.tasks", Type::texts,
          "Processes by resident memory: \"812 nginx 12451840\", in bytes."},
    Field{"oom.tasks.count", Type::u64, "Rows of the kernel's table; oom.tasks may be fewer.", "",
          "1"}};

inline constexpr SchemaOf kLost{
    "kernel.log.lost", Kind::metric,
    "Records of the kernel's log that were overwritten before they were read.",
    Field{"count", Type::u64, "How many.", "COUNT", "1"}};

inline constexpr const Schema* kSchemas[] = {&kOomReport, &kLost};

}  // namespace tapio::kmsg
