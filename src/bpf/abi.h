/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The kernel/user contract. Compiles as C11 for BPF and as C++23; includes nothing of ours. */
#ifndef TAPIO_BPF_ABI_H
#define TAPIO_BPF_ABI_H

#ifdef __cplusplus
#include <linux/types.h>
#include <type_traits>
/* has_unique_object_representations is false when the compiler inserted padding: every byte
 * that crosses the boundary must be a named field, so none can carry stale kernel memory. */
#define TAPIO_ABI(type, bytes)                                                        \
	static_assert(sizeof(type) == (bytes), #type ": size is part of the ABI");    \
	static_assert(std::is_standard_layout_v<type> &&                              \
		      std::is_trivially_copyable_v<type> &&                           \
		      std::has_unique_object_representations_v<type>,                 \
		      #type ": implicit padding or a non-wire field")
#else
#define TAPIO_ABI(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type ": size is part of the ABI")
#endif

#define TAPIO_COMM_LEN 16
#define TAPIO_MAX_HOOKS 16 /* per object */
#define TAPIO_LIMITER_SLOTS 64
#define TAPIO_LIMITER_SHIFT 26 /* a slot lasts 2^26 ns, 67 ms */
#define TAPIO_LIMITER_SAVED(event_class) (TAPIO_CLASSES * TAPIO_LIMITER_SLOTS + (event_class))
#define TAPIO_FAIRNESS_SHIFT 30 /* a fairness window lasts 2^30 ns, 1.07 s */
#define TAPIO_CGROUP_V2 (~0u)
#define TAPIO_MAX_RINGS 8 /* per object */
#define TAPIO_PATH_PARTS 32 /* components of a path that a program walks up */

enum tapio_class { TAPIO_STATE, TAPIO_CRITICAL, TAPIO_NORMAL, TAPIO_BULK, TAPIO_CLASSES };

/* What became of a run that had something to report. */
enum tapio_outcome {
	TAPIO_EMITTED,
	TAPIO_SAMPLED_OUT,
	TAPIO_RATE_LIMITED,
	TAPIO_AGGREGATED,
	TAPIO_MAP_FULL,
	TAPIO_READ_ABORTED,
	TAPIO_RING_FULL,
	TAPIO_NESTED,
	TAPIO_OUTCOMES
};

enum tapio_flag {
	TAPIO_CANARY = 1,     /* made by the agent to see whether the hook fires; nobody's record */
	TAPIO_STATE_ONLY = 2, /* not wanted by the filter: for the tables, not handed out */
};

/* Starts every event. `size` is the truth about length: perf buffers pad samples.
 * `sequence` is `wanted` of the ledger row that (hook, event_class, cpu) names: a jump says
 * where records are missing, the row says why. */
struct tapio_event_header {
	__u64 time_ns;   /* CLOCK_MONOTONIC */
	__u64 cgroup_id; /* of the acting task, in the hierarchy chosen at start; 0: unknown */
	__u32 tgid;
	__u32 tid;
	__u32 sequence;
	__u16 size;      /* bytes, header included */
	__u16 cpu;
	__u16 kind;      /* observer id << 8 | event number; never reused */
	__u16 version;   /* of the payload behind this header */
	__u8 hook;
	__u8 event_class;
	__u16 flags;
};
TAPIO_ABI(tapio_event_header, 40);

/* One per hook and CPU, changed by atomic adds alone. When nothing runs:
 *   entered = filtered + sum of wanted;  wanted = sum of outcomes, for every class. */
struct tapio_ledger_class {
	__u64 wanted;
	__u64 outcome[TAPIO_OUTCOMES];
};
TAPIO_ABI(tapio_ledger_class, 72);

struct tapio_ledger_row {
	__u64 entered;
	__u64 filtered;
	__u64 read_faults; /* the event went out, the field it could not read is zero */
	struct tapio_ledger_class classes[TAPIO_CLASSES];
};
TAPIO_ABI(tapio_ledger_row, 24 + 4 * 72);

/* Critical events of one cgroup beyond its share, counted by what they are. */
struct tapio_surplus {
	__u64 cgroup_id;
	__u64 detail;
};
TAPIO_ABI(tapio_surplus, 16);

/* .rodata of every object, the same in all of them. */
struct tapio_settings {
	__u64 pidns_dev; /* of the agent's pid namespace; 0 when it is the initial one */
	__u64 pidns_ino;
	__u32 self_tgid;
	__u32 cgroup_subsystem; /* index in css_set.subsys, or TAPIO_CGROUP_V2 */
	__u32 fair_share;       /* critical events per cgroup and fairness window */
	__u32 perf;             /* 1: no ring buffer, or told to do without */
	__u32 rings;            /* above 1: that many share the CPUs, in the map `rings` */
	__u32 ring_shift;       /* 2^ring_shift CPUs that follow each other share one of them */
	__u32 guarded;          /* 1: a typed tracepoint's program never interrupts itself */
	__u32 reserved;
};
TAPIO_ABI(tapio_settings, 48);

/* What may change while programs run; the one entry of the map `control`. */
struct tapio_control {
	__u32 canary_tgid;                /* 0: none is under way */
	__u32 limited;                    /* bit per class: the limiter's slots hold what is left */
	__u32 keep_one_in[TAPIO_CLASSES]; /* 0 and 1 keep all */
};
TAPIO_ABI(tapio_control, 24);

/* What a task is asked for by the filter of an observer; zero fields ask for nothing. */
struct tapio_filter {
	__u64 cgroup_id;
	__u32 uid;
	__u32 check; /* bits of tapio_filter_check */
	char comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_filter, 32);

enum tapio_filter_check {
	TAPIO_CHECK_CGROUP = 1,
	TAPIO_CHECK_UID = 2,
	TAPIO_CHECK_COMM = 4,
	TAPIO_CHECK_CONTAINER = 8, /* in a pid namespace below the initial one */
};

/* cred(9) as the initial user namespace has it. */
struct tapio_credentials {
	__u32 uid, gid, suid, sgid, euid, egid;
	__u64 inheritable, permitted, effective, bounding, ambient; /* bit n: capability n */
	__u64 user_namespace; /* inode number */
};
TAPIO_ABI(tapio_credentials, 72);

#define TAPIO_MEMORY_LEVELS 8

/* The page counters of a memory cgroup, in bytes; ~0: no limit. Swap: on v2 swap alone, on v1
 * memory and swap together. */
struct tapio_memory_level {
	__u64 cgroup_id;
	__u64 usage, max;
	__u64 swap_usage, swap_max;
};
TAPIO_ABI(tapio_memory_level, 40);

/* A piece of the text behind an event's fixed part. `original` says how long it was before it was
 * cut; `offset` counts from the start of the event. */
struct tapio_text {
	__u16 offset;
	__u16 size;
	__u32 original;
};
TAPIO_ABI(tapio_text, 8);

#endif
