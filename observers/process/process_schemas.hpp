// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process_findings.hpp"
#include "record/record.hpp"
#include "record/view.hpp"

// What the observer reports. Names are OpenTelemetry's (registry "process") where it has one.
namespace tapio::process {

inline constexpr SchemaOf kFork{
    "process.fork",
    Kind::event,
    "A process began. process.pid is the new one.",
    Field{"process.parent_pid", Type::u64, "Who forked it.", "PPID"},
    Field{"process.vpid", Type::u64, "Its pid in its own pid namespace.", "VPID"},
    Field{"process.pid_namespace", Type::u64, "Inode of that namespace."},
    Field{"process.user.id", Type::u64, "Effective user id.", "UID"},
    Field{"process.executable.name", Type::text, "comm, still the parent's.", "COMMAND"}};

inline constexpr SchemaOf kExec{
    "process.exec",
    Kind::event,
    "A process runs another program.",
    Field{"process.parent_pid", Type::u64, "Who forked it.", "PPID"},
    Field{"process.vpid", Type::u64, "Its pid in its own pid namespace."},
    Field{"process.pid_namespace", Type::u64, "Inode of that namespace."},
    Field{"process.user.id", Type::u64, "Effective user id.", "UID"},
    Field{"process.real_user.id", Type::u64, "Real user id."},
    Field{"process.saved_user.id", Type::u64, "Saved user id."},
    Field{"process.group.id", Type::u64, "Effective group id."},
    Field{"process.real_group.id", Type::u64, "Real group id."},
    Field{"process.saved_group.id", Type::u64, "Saved group id."},
    Field{"process.capabilities.effective", Type::text, "As CapEff in /proc/PID/status."},
    Field{"process.capabilities.permitted", Type::text, "As CapPrm in /proc/PID/status."},
    Field{"process.capabilities.inheritable", Type::text, "As CapInh in /proc/PID/status."},
    Field{"process.capabilities.bounding", Type::text, "As CapBnd in /proc/PID/status."},
    Field{"process.capabilities.ambient", Type::text, "As CapAmb in /proc/PID/status."},
    Field{"process.executable.name", Type::text, "comm.", "COMMAND"},
    Field{"process.executable.path", Type::text,
          "The program that runs, links resolved; begins with … when it was cut.", "EXECUTABLE"},
    Field{"process.executable.set_id", Type::boolean,
          "The program's file has the set-user-ID or set-group-ID bit."},
    Field{"process.exec.filename", Type::text, "The file as it was given to execve(2)."},
    Field{"process.working_directory", Type::text, "Where it was started."},
    Field{"process.command_args.bytes", Type::u64,
          "Bytes of all arguments; more than is shown when they were cut.", "", "By"},
    Field{"process.command_args.cut", Type::boolean, "Arguments are missing at the end."},
    Field{"process.command_args", Type::texts, "Arguments, without secrets.", "ARGS"}};

inline constexpr Field kExitCode{"process.exit.code", Type::i64,
                                 "Exit status; missing after a death by signal.", "CODE"};
inline constexpr Field kExitSignal{"process.exit.signal.name", Type::text,
                                   "The signal that ended it.", "SIGNAL"};
inline constexpr Field kExitSignalNumber{"process.exit.signal.number", Type::i64, "Its number."};
inline constexpr Field kCore{"process.exit.core_dumped", Type::boolean, "It left a core dump.",
                             "CORE"};
inline constexpr Field kUptime{"process.uptime", Type::duration, "How long it lived.", "UPTIME",
                               "s"};
inline constexpr Field kCpuTime{"process.cpu.time", Type::duration,
                                "Time that its threads ran on a CPU.", "CPU", "s"};
inline constexpr Field kPeakRss{"process.memory.peak_rss", Type::u64,
                                "Most physical memory it ever had.", "RSS", "By"};
inline constexpr Field kParentPid{"process.parent_pid", Type::u64, "Its parent at the end.",
                                  "PPID"};
inline constexpr Field kUserId{"process.user.id", Type::u64, "Effective user id.", "UID"};
inline constexpr Field kName{"process.executable.name", Type::text, "comm.", "COMMAND"};

inline constexpr SchemaOf kExit{
    "process.exit", Kind::event, "A process ended.", kParentPid, kUserId, kName,
    kExitCode,      kExitSignal, kExitSignalNumber,  kCore,      kUptime, kCpuTime,
    kPeakRss};

inline constexpr SchemaOf kDeath{"process.death",
                                 Kind::event,
                                 "A signal ended a process. Comes at once, ahead of process.exit.",
                                 kParentPid,
                                 kUserId,
                                 kName,
                                 kExitSignal,
                                 kExitSignalNumber,
                                 kCore,
                                 kUptime,
                                 kCpuTime,
                                 kPeakRss};

inline constexpr Field kSignalName{"signal.name", Type::text, "Name of the signal.", "SIGNAL"};
inline constexpr Field kSignalNumber{"signal.number", Type::i64, "Number of the signal."};
inline constexpr Field kSignalCode{"signal.code", Type::i64, "si_code, see sigaction(2)."};

inline constexpr SchemaOf kSignal{
    "process.signal",
    Kind::event,
    "A signal was generated. process.pid is the sender; none when the kernel sent it.",
    Field{"process.executable.name", Type::text, "comm of the sender."},
    kSignalName,
    kSignalNumber,
    Field{"signal.target.pid", Type::u64, "Process it was sent to.", "TARGET"},
    Field{"signal.target.tid", Type::u64, "Thread it was sent to."},
    Field{"signal.target.name", Type::text, "comm of the target process.", "TNAME"},
    Field{"signal.class", Type::text, "user, tkill, queue, timer, kernel_fault, kernel or unknown.",
          "CLASS"},
    kSignalCode,
    Field{"signal.result", Type::text,
          "delivered, ignored, already_pending, overflow_fail or lose_info.", "RESULT"},
    Field{"signal.lethal", Type::boolean, "The target cannot survive it as it was set up.",
          "LETHAL"},
    Field{"signal.to_group", Type::boolean, "To the process, not to one thread."},
    Field{"signal.target.cgroup.id", Type::u64, "Cgroup of the target."},
    Field{"signal.crosses_cgroup", Type::boolean, "Sender and target are in different cgroups."}};

inline constexpr SchemaOf kDelivery{
    "process.signal.delivery",
    Kind::event,
    "A thread takes a signal.",
    kSignalName,
    kSignalNumber,
    kSignalCode,
    Field{"signal.disposition", Type::text, "default, ignore or handler.", "ACTION"}};

inline constexpr SchemaOf kSurplus{
    "process.signal.surplus",
    Kind::metric,
    "Deadly signals and deaths of one cgroup beyond its share, counted instead of reported.",
    kSignalName,
    kSignalNumber,
    Field{"count", Type::u64, "How many.", "COUNT", "1"}};

inline constexpr SchemaOf kExecFailed{
    "process.exec.failed",
    Kind::event,
    "A process could not run another program.",
    Field{"process.parent_pid", Type::u64, "Who forked it.", "PPID"},
    Field{"process.executable.name", Type::text, "comm.", "COMMAND"},
    Field{"process.exec.filename", Type::text,
          "The file as it was given to execve(2); missing: not known.", "FILE"},
    Field{"error.type", Type::text, "Name of the error; missing: not known.", "ERROR"},
    Field{"process.exec.error", Type::i64, "Its number, errno."},
    Field{"process.exit.code", Type::i64, "The exit status that it is concluded from.", "CODE"},
    Field{"process.exec.concluded", Type::boolean,
          "The call was not seen: the process never executed anything and ended with 126, 127 or "
          "203, as shells and service managers do after a failed exec."}};

inline constexpr SchemaOf kCredentials{
    "process.credentials",
    Kind::event,
    "A process has other user or group ids, capabilities or another user namespace than before.",
    Field{"process.executable.name", Type::text, "comm.", "COMMAND"},
    Field{"process.credentials.via", Type::text,
          "exec: by execve(2); syscall: seen as it happened; found: some time since it was last "
          "looked at.",
          "VIA"},
    Field{"process.credentials.gained", Type::boolean,
          "It became root or got capabilities that it had not even permitted, in the same user "
          "namespace.",
          "GAINED"},
    Field{"process.executable.set_id", Type::boolean,
          "By an exec of a file with the set-user-ID or set-group-ID bit.", "SETID"},
    Field{"process.user.id", Type::u64, "Effective user id.", "UID"},
    Field{"process.real_user.id", Type::u64, "Real user id."},
    Field{"process.saved_user.id", Type::u64, "Saved user id."},
    Field{"process.group.id", Type::u64, "Effective group id."},
    Field{"process.real_group.id", Type::u64, "Real group id."},
    Field{"process.saved_group.id", Type::u64, "Saved group id."},
    Field{"process.capabilities.effective", Type::text, "As CapEff in /proc/PID/status.", "CAPS"},
    Field{"process.capabilities.permitted", Type::text, "As CapPrm in /proc/PID/status."},
    Field{"process.capabilities.inheritable", Type::text, "As CapInh in /proc/PID/status."},
    Field{"process.capabilities.bounding", Type::text, "As CapBnd in /proc/PID/status."},
    Field{"process.capabilities.ambient", Type::text, "As CapAmb in /proc/PID/status."},
    Field{"process.user_namespace", Type::u64, "Inode of its user namespace."},
    Field{"process.before.user.id", Type::u64, "Effective user id before.", "BEFORE"},
    Field{"process.before.real_user.id", Type::u64, "Real user id before."},
    Field{"process.before.saved_user.id", Type::u64, "Saved user id before."},
    Field{"process.before.group.id", Type::u64, "Effective group id before."},
    Field{"process.before.real_group.id", Type::u64, "Real group id before."},
    Field{"process.before.saved_group.id", Type::u64, "Saved group id before."},
    Field{"process.before.capabilities.effective", Type::text, "CapEff before."},
    Field{"process.before.capabilities.permitted", Type::text, "CapPrm before."},
    Field{"process.before.capabilities.inheritable", Type::text, "CapInh before."},
    Field{"process.before.capabilities.bounding", Type::text, "CapBnd before."},
    Field{"process.before.capabilities.ambient", Type::text, "CapAmb before."},
    Field{"process.before.user_namespace", Type::u64,
          "Inode of its user namespace before; missing: not known."}};

inline constexpr SchemaOf kTrace{
    "process.trace",
    Kind::event,
    "A process got control over another one. process.pid is the tracer.",
    Field{"process.executable.name", Type::text, "comm of the tracer."},
    Field{"trace.request", Type::text,
          "attach: PTRACE_ATTACH or PTRACE_SEIZE; traceme: PTRACE_TRACEME, the target asked for "
          "it; access: allowed by the kernel, to ptrace(2), /proc/PID/mem, process_vm_writev(2) or "
          "the like.",
          "REQUEST"},
    Field{"trace.target.pid", Type::u64, "The process under control.", "TARGET"},
    Field{"trace.target.name", Type::text, "comm of the target.", "TNAME"},
    Field{"trace.target.cgroup.id", Type::u64, "Cgroup of the target."},
    Field{"trace.crosses_cgroup", Type::boolean, "Tracer and target are in different cgroups."}};

inline constexpr SchemaOf kOom{
    "process.oom",
    Kind::event,
    "Memory ran out, and the kernel killed a process, process.pid. All figures are those of the "
    "kernel's own structs when it sent the SIGKILL.",
    Field{"process.executable.name", Type::text, "comm of the victim.", "COMMAND"},
    Field{"process.oom.running.pid", Type::u64,
          "Whose allocation the kernel could not serve (the current task).", "BY"},
    Field{"process.oom.running.name", Type::text, "comm of that process.", "BYNAME"},
    Field{"process.oom.score_adj", Type::i64, "oom_score_adj (signal_struct.oom_score_adj).",
          "ADJ"},
    Field{"process.memory.anonymous", Type::u64,
          "Anonymous resident memory of the victim (mm_struct.rss_stat).", "ANON", "By"},
    Field{"process.memory.file", Type::u64, "Resident memory with a file (mm_struct.rss_stat).", "",
          "By"},
    Field{"process.memory.shared", Type::u64, "Resident shared memory (mm_struct.rss_stat).", "",
          "By"},
    Field{"process.memory.swap", Type::u64, "Swapped out (mm_struct.rss_stat).", "", "By"},
    Field{"process.oom.cgroup.id", Type::u64,
          "The victim's memory cgroup (css_set.subsys); missing: the root, or not readable."},
    Field{"process.oom.cgroup.usage", Type::u64, "Its usage (mem_cgroup.memory.usage).", "", "By"},
    Field{"process.oom.cgroup.max", Type::u64, "Its limit (mem_cgroup.memory.max); missing: none.",
          "", "By"},
    Field{"process.oom.cgroup.swap", Type::u64,
          "Its swap (mem_cgroup.swap); on v1 memory and swap together (mem_cgroup.memsw).", "",
          "By"},
    Field{"process.oom.cgroup.swap_max", Type::u64, "The limit of that; missing: none.", "", "By"},
    Field{"process.oom.limit.cgroup.id", Type::u64,
          "Of it and the cgroups above, the one nearest to its limit and no more than a 16th of it "
          "away; missing: none is, so the machine ran out of memory.",
          "CGROUP"},
    Field{"process.oom.limit.usage", Type::u64, "Its usage (mem_cgroup.memory.usage).", "USAGE",
          "By"},
    Field{"process.oom.limit.max", Type::u64, "Its limit (mem_cgroup.memory.max).", "MAX", "By"},
    Field{"process.oom.limit.swap", Type::u64, "As process.oom.cgroup.swap.", "", "By"},
    Field{"process.oom.limit.swap_max", Type::u64, "As process.oom.cgroup.swap_max.", "", "By"},
    Field{"process.oom.levels", Type::texts,
          "The page counters of the victim's memory cgroup and of those above it, at most 8, in "
          "bytes (mem_cgroup.memory, and .swap or .memsw)."}};

inline constexpr SchemaOf kMultiplying{
    "process.multiplying",
    Kind::event,
    "Processes multiply in a control group, as the kernel side counts: told at once, and once in 4 "
    "s. process.pid is the newborn that made it so.",
    Field{"process.parent_pid", Type::u64, "Who forked it.", "PPID"},
    Field{"process.executable.name", Type::text, "comm.", "COMMAND"},
    Field{
        "process.multiplying.births", Type::u64,
        "Processes that began there in the last 4 s at most, 5 forks or more after the last exec.",
        "BIRTHS", "1"},
    Field{"process.multiplying.living", Type::u64, "Those of them that live.", "LIVING", "1"},
    Field{"process.multiplying.generations", Type::u64, "Forks after the last exec, at most.",
          "GENERATIONS", "1"}};

inline constexpr const Schema* kSchemas[] = {
    &kFork,         &kExec,      &kExit,        &kDeath,    &kSignal,          &kDelivery,
    &kSurplus,      &kOom,       &kCredentials, &kTrace,    &kExecFailed,      &kMultiplying,
    &kSignalStorm,  &kKillChain, &kCrashLoop,   &kForkBomb, &kExecFailureLoop, &kSignalAcrossBorder,
    &kPrivilegeGain};

// Who uses the machine, as far as ends tell: what processes that live use is not known.
inline constexpr ViewOf kPrograms{View{.name = "processes",
                                       .help = "Processes that ended, by name: CPU, memory, life.",
                                       .schema = &kExit,
                                       .head = "PROCESS",
                                       .keys = {"process.executable.name"},
                                       .in_overview = true},
                                  figure::rate_of("ENDED/s"),
                                  figure::sum_of("CPU", "process.cpu.time"),
                                  figure::most_of("RSS", "process.memory.peak_rss"),
                                  figure::quantile_of("LIFE", "process.uptime", 0.5),
                                  figure::common_of("SIGNALS", "process.exit.signal.name")};

inline constexpr ViewOf kContainers{
    View{.name = "containers",
         .help = "The same by container, else by systemd unit or cgroup.",
         .schema = &kExit,
         .head = "CONTAINER",
         .keys = {"container.id", "systemd.unit", "tapio.cgroup.path"},
         .in_overview = false},
    figure::rate_of("ENDED/s"), figure::sum_of("CPU", "process.cpu.time"),
    figure::most_of("RSS", "process.memory.peak_rss"),
    figure::common_of("PROCESSES", "process.executable.name")};

inline constexpr ViewOf kSenders{
    View{.name = "signals",
         .help = "Signals, by who sends them.",
         .schema = &kSignal,
         .head = "SENDER",
         .keys = {"process.executable.name"},
         .in_overview = false},
    figure::rate_of("SIGNALS/s"),
    figure::rate_if("LETHAL/s", "signal.lethal", Figure::If::is, "true"),
    figure::common_of("SIGNAL", "signal.name"), figure::common_of("TARGET", "signal.target.name")};

inline constexpr const View* kViews[] = {&kPrograms, &kContainers, &kSenders};

}  // namespace tapio::process
