/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TAPIO_CONTAINER_ABI_H
#define TAPIO_CONTAINER_ABI_H

#include "bpf/abi.h"

/* Hooks: rows of the ledger. */
enum tapio_container_hook {
	TAPIO_CONTAINER_ON_MKDIR,
	TAPIO_CONTAINER_ON_RMDIR,
	TAPIO_CONTAINER_ON_MOVE,
};

#define TAPIO_CONTAINER_CREATED 0x0201
#define TAPIO_CONTAINER_CREATED_VERSION 1
#define TAPIO_CONTAINER_REMOVED 0x0202
#define TAPIO_CONTAINER_REMOVED_VERSION 1

#define TAPIO_CONTAINER_MOVED 0x0203
#define TAPIO_CONTAINER_MOVED_VERSION 1

/* The kernel makes paths for its tracepoints in a buffer of this size (TRACE_CGROUP_PATH_LEN). */
#define TAPIO_CONTAINER_PATH_BYTES 1024

/* A cgroup of the chosen hierarchy was made or removed; the header names the task that did it. The
 * path follows, from the root of the hierarchy. */
struct tapio_container_cgroup {
	struct tapio_event_header header;
	__u64 cgroup_id;
	struct tapio_text path;
};
TAPIO_ABI(tapio_container_cgroup, 40 + 16);

/* A process is in another cgroup of the chosen hierarchy from now on; the header names the task
 * that wrote its id to cgroup.procs. */
struct tapio_container_move {
	struct tapio_event_header header;
	__u64 start_ns; /* of its leader, on CLOCK_BOOTTIME */
	__u64 cgroup_id;
	__u64 caller_start_ns;
	__u32 tgid;
	__u32 zero;
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_container_move, 40 + 48);

#endif
