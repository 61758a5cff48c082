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
	TAPIO_PROCESS_ON_OOM,
	TAPIO_PROCESS_ON_CREDENTIALS,
	TAPIO_PROCESS_ON_TRACE,
	TAPIO_PROCESS_ON_TRACEME,
	TAPIO_PROCESS_ON_EXEC_FAILED,
	TAPIO_PROCESS_ON_MULTIPLY,
};

#define TAPIO_PROCESS_FORK 0x0101
#define TAPIO_PROCESS_FORK_VERSION 2
#define TAPIO_PROCESS_EXEC 0x0102
#define TAPIO_PROCESS_EXEC_VERSION 2
#define TAPIO_PROCESS_EXIT 0x0103
#define TAPIO_PROCESS_EXIT_VERSION 2
#define TAPIO_PROCESS_DEATH 0x0104
#define TAPIO_PROCESS_DEATH_VERSION 2
#define TAPIO_PROCESS_SIGNAL 0x0105
#define TAPIO_PROCESS_SIGNAL_VERSION 1
#define TAPIO_PROCESS_DELIVERY 0x0106
#define TAPIO_PROCESS_DELIVERY_VERSION 1
#define TAPIO_PROCESS_OOM 0x0107
#define TAPIO_PROCESS_OOM_VERSION 1
#define TAPIO_PROCESS_CREDENTIALS 0x0108
#define TAPIO_PROCESS_CREDENTIALS_VERSION 1
#define TAPIO_PROCESS_TRACE 0x0109
#define TAPIO_PROCESS_TRACE_VERSION 1
#define TAPIO_PROCESS_EXEC_FAILED 0x010a
#define TAPIO_PROCESS_EXEC_FAILED_VERSION 1
#define TAPIO_PROCESS_MULTIPLY 0x010b
#define TAPIO_PROCESS_MULTIPLY_VERSION 1

/* Start times are those of group leaders, in nanoseconds of CLOCK_BOOTTIME. */

/* A new process; threads are filtered. The header names the task that called fork. */
struct tapio_process_fork {
	struct tapio_event_header header;
	__u64 start_ns;
	__u64 parent_start_ns;
	__u64 pid_namespace;
	__u64 cgroup_id;
	struct tapio_credentials credentials;
	__u32 tgid;
	__u32 parent_tgid; /* not the caller with CLONE_PARENT */
	__u32 virtual_pid;
	__u32 own_user_namespace; /* 1: another one than the caller's; its credentials are new */
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_fork, 40 + 136);

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
	__u32 file_mode; /* of the executable, as st_mode in stat(2) */
	__u32 mount_namespace; /* its inode; 0: not known */
	char comm[TAPIO_COMM_LEN];
	struct tapio_text filename; /* as given to execve */
	struct tapio_text executable;
	struct tapio_text cwd;
	struct tapio_text args;
};
TAPIO_ABI(tapio_process_exec, 40 + 160);

/* The last thread of a process ends. Threads of one process that end together may each be the last
 * that they see: the same exit can come more than once. Also the payload of a death by signal. */
struct tapio_process_exit {
	struct tapio_event_header header;
	__u64 start_ns;
	__u64 parent_start_ns;
	__u64 cpu_ns;   /* of all its threads, on a CPU */
	__u64 peak_rss; /* bytes */
	struct tapio_credentials credentials; /* of that thread */
	__u32 parent_tgid;
	__u32 status; /* as in wait(2): status << 8 | core << 7 | signal */
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_exit, 40 + 128);

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

/* Whom the kernel itself sends a SIGKILL, when it does; bytes. */
struct tapio_process_victim {
	__u64 time_ns;
	__u64 start_ns;
	__u64 cgroup_id;
	__u64 anon_rss, file_rss, shmem_rss, swap; /* mm_struct.rss_stat */
	__u32 tgid;
	__s32 score_adj; /* signal_struct.oom_score_adj */
	__u32 wanted;    /* by the filter */
	__u32 level_count;
	struct tapio_memory_level levels[TAPIO_MEMORY_LEVELS]; /* its own, then the ones above */
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_victim, 408);

/* The kernel chose a victim because memory ran out; the header names the task whose allocation it
 * could not serve. */
struct tapio_process_oom {
	struct tapio_event_header header;
	__u64 running_start_ns;
	char running_comm[TAPIO_COMM_LEN];
	struct tapio_process_victim victim;
};
TAPIO_ABI(tapio_process_oom, 40 + 24 + 408);

/* The process in the header has these credentials from now on. */
struct tapio_process_credentials {
	struct tapio_event_header header;
	__u64 start_ns;
	struct tapio_credentials credentials;
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_credentials, 40 + 96);

enum tapio_process_request {
	TAPIO_REQUEST_ATTACH,  /* PTRACE_ATTACH or PTRACE_SEIZE */
	TAPIO_REQUEST_TRACEME, /* PTRACE_TRACEME: the target asked for it */
	TAPIO_REQUEST_ACCESS,  /* allowed to control or to change it, by whatever call */
};

/* The header names the one that called: the tracer, or the target with TRACEME. */
struct tapio_process_trace {
	struct tapio_event_header header;
	__u64 tracer_start_ns;
	__u64 tracer_cgroup_id;
	__u64 target_start_ns;
	__u64 target_cgroup_id;
	__u32 tracer_tgid;
	__u32 target_tgid;
	__u32 request;
	__u32 zero;
	char tracer_comm[TAPIO_COMM_LEN];
	char target_comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_trace, 40 + 80);

/* execve returned an error. Text follows. */
struct tapio_process_exec_failed {
	struct tapio_event_header header;
	__u64 start_ns;
	__u64 parent_start_ns;
	__u32 parent_tgid;
	__s32 error; /* errno */
	char comm[TAPIO_COMM_LEN];
	struct tapio_text filename; /* as given */
};
TAPIO_ABI(tapio_process_exec_failed, 40 + 48);

/* CHLD URG WINCH; bit n-1 stands for signal n. Sent by the thousand on healthy machines: each end
 * of a process makes a SIGCHLD, Go's runtime preempts by SIGURG, databases wake one another by it,
 * windows change. They are told to who asks, and have a rate of their own. */
#define TAPIO_PROCESS_NOISE 0x8410000ULL

#define TAPIO_PROCESS_DEEP 5 /* generations of forks without an exec */

/* Processes multiply in a cgroup: told once in a window of 2^32 ns, with the fork that made it so.
 * The header names the task that called fork. */
struct tapio_process_multiply {
	struct tapio_event_header header;
	__u64 cgroup_id;
	__u64 start_ns; /* of the newborn */
	__u64 parent_start_ns;
	__u32 tgid; /* of the newborn */
	__u32 parent_tgid;
	__u32 births; /* in the window, at least TAPIO_PROCESS_DEEP generations down */
	__u32 living; /* of them, those that have not ended */
	__u32 deepest; /* generation */
	__u32 zero;
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_process_multiply, 40 + 64);

#endif
