/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TAPIO_PROCESS_ABI_H
#define TAPIO_PROCESS_ABI_H

#include "bpf/abi.h"

/* Hooks: rows of the ledger. */
enum tapio_process_hook {
	TAPIO_PROCESS_ON_FORK,
	TAPIO_PROCESS_ON_EXEC,
	TAPIO_PROCESS_ON_EXIT,
	TAPIO_PROCESS_ON_DEATH,
	TAPIO_PROCESS_ON_GENERATE,
	TAPIO_PROCESS_ON_DELIVER,
};

#define TAPIO_PROCESS_FORK 0x0101
#define TAPIO_PROCESS_FORK_VERSION 1
#define TAPIO_PROCESS_EXEC 0x0102
#define TAPIO_PROCESS_EXEC_VERSION 1
#define TAPIO_PROCESS_EXIT 0x0103
#define TAPIO_PROCESS_EXIT_VERSION 1
#define TAPIO_PROCESS_DEATH 0x0104
#define TAPIO_PROCESS_DEATH_VERSION 1
#define TAPIO_PROCESS_SIGNAL 0x0105
#define TAPIO_PROCESS_SIGNAL_VERSION 1
#define TAPIO_PROCESS_DELIVERY 0x0106
#define TAPIO_PROCESS_DELIVERY_VERSION 1

/* Start times are those of group leaders, in nanoseconds of CLOCK_BOOTTIME. */

/* A new process; threads are filtered. The header names the task that called fork. */
struct tapio_process_fork {
	struct tapio_event_header header;
	__u64 start_ns;
	__u64 parent_start_ns;
	__u64 pid_namespace;
	__u64 cgroup_id;
	__u32 tgid;
	__u32 parent_tgid; /* not the caller with CLONE_PARENT */
	__u32 virtual_pid;
	__u32 uid; /* effective, as in all of these */
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_fork, 40 + 64);

#define TAPIO_PROCESS_FILENAME_BYTES 256
#define TAPIO_PROCESS_PATH_BYTES 1024
#define TAPIO_PROCESS_CWD_BYTES 512
#define TAPIO_PROCESS_ARGS_BYTES 2047 /* a power of two minus one */

/* A process runs another program. Text follows: paths leaf first, see text.bpf.h; arguments as in
 * memory, each with its end. */
struct tapio_process_exec {
	struct tapio_event_header header;
	__u64 start_ns;
	__u64 parent_start_ns;
	__u64 pid_namespace;
	struct tapio_credentials credentials;
	__u32 parent_tgid;
	__u32 virtual_pid;
	char comm[TAPIO_COMM_LEN];
	struct tapio_text filename; /* as given to execve */
	struct tapio_text executable;
	struct tapio_text cwd;
	struct tapio_text args;
};
TAPIO_ABI(tapio_process_exec, 40 + 144);

/* The last thread of a process ends. Threads of one process that end together may each be the last
 * that they see: the same exit can come more than once. Also the payload of a death by signal. */
struct tapio_process_exit {
	struct tapio_event_header header;
	__u64 start_ns;
	__u64 parent_start_ns;
	__u64 cpu_ns;   /* of all its threads, on a CPU */
	__u64 peak_rss; /* bytes */
	__u32 parent_tgid;
	__u32 status; /* as in wait(2): status << 8 | core << 7 | signal */
	__u32 uid;
	__u32 zero;
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_exit, 40 + 64);

enum tapio_siginfo { TAPIO_SIGINFO_NONE, TAPIO_SIGINFO_PRIV, TAPIO_SIGINFO_GIVEN };

/* A signal was generated. The header names the task that was running, which sent it only if `code`
 * and `siginfo` say so. */
struct tapio_process_signal {
	struct tapio_event_header header;
	__u64 running_start_ns; /* of the process in the header */
	__u64 target_start_ns;
	__u64 target_cgroup_id;
	__u32 target_tgid;
	__u32 target_tid;
	__s32 signal;
	__s32 code;   /* si_code */
	__s32 result; /* TRACE_SIGNAL_*: 0 delivered, 1 ignored, 2 already pending, ... */
	__u8 siginfo; /* tapio_siginfo: SEND_SIG_NOINFO, SEND_SIG_PRIV or a struct */
	__u8 to_group;
	__u8 lethal; /* kills unless it is blocked: default action, or cannot be caught */
	__u8 zero;
	char running_comm[TAPIO_COMM_LEN];
	char target_comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_signal, 40 + 80);

enum tapio_disposition {
	TAPIO_DISPOSITION_DEFAULT,
	TAPIO_DISPOSITION_IGNORE,
	TAPIO_DISPOSITION_HANDLER,
};

/* A thread takes a signal; the header names it. */
struct tapio_process_delivery {
	struct tapio_event_header header;
	__u64 start_ns;
	__s32 signal;
	__s32 code;
	__u32 disposition;
	__u32 zero;
};
TAPIO_ABI(tapio_process_delivery, 40 + 24);

#endif
