// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process_findings.hpp"
#include "record/record.hpp"

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

inline constexpr const Schema* kSchemas[] = {&kFork,
                                             &kExec,
                                             &kExit,
                                             &kDeath,
                                             &kSignal,
                                             &kDelivery,
                                             &kSurplus,
                                             &kSignalStorm,
                                             &kKillChain,
                                             &kCrashLoop,
                                             &kForkBomb,
                                             &kExecFailureLoop,
                                             &kSignalAcrossBorder,
                                             &kPrivilegeGain};

}  // namespace tapio::process
