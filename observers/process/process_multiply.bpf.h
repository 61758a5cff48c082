/* SPDX-License-Identifier: GPL-2.0-only */
/* How processes multiply in a cgroup: newborns that live, many generations after the last exec. */
#ifndef TAPIO_PROCESS_MULTIPLY_BPF_H
#define TAPIO_PROCESS_MULTIPLY_BPF_H

#include "bpf/tapio.bpf.h"
#include "bpf/task.bpf.h"
#include "process.abi.h"

const volatile __u32 bomb_processes; /* so many living ones are told; 0: nothing is counted */

#define WINDOW_SHIFT 32 /* windows of 2^32 ns, 4.3 s */

#define BIRTHS 8192 /* a power of two */

struct tapio_birth {
	__u64 start_ns; /* 0: none, or it has executed or ended */
	__u64 window;
	__u64 cgroup_id;
	__u32 generation; /* forks since the last exec */
	__u32 zero;
};

/* The newborns of late, each at the place of its tgid: numbers go up, so it lasts until 8192 more
 * were given out. Then its children count as first generation, and its end is not seen. A hash
 * costs several times as much, and every fork of the machine pays. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BIRTHS);
	__type(key, __u32);
	__type(value, struct tapio_birth);
} births SEC(".maps");

struct tapio_brood {
	__u64 window;
	__u32 births; /* in that window, at least TAPIO_PROCESS_DEEP generations down */
	__s32 deep;   /* of them, those that are alive */
	__u32 deepest;
	__u32 told;
};

/* By cgroup. Beyond the bound the least used starts anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u64);
	__type(value, struct tapio_brood);
} broods SEC(".maps");

static __always_inline struct tapio_birth *birth_place(__u32 tgid)
{
	__u32 place = tgid & (BIRTHS - 1);

	return bpf_map_lookup_elem(&births, &place);
}

/* Of the leader of a process; NULL: it is no newborn. */
static __always_inline struct tapio_birth *birth_of(struct tapio_run *run,
						    struct task_struct *leader)
{
	struct tapio_birth *birth = birth_place(TAPIO_GET(run, leader, tgid));

	if (!birth || birth->start_ns != tapio_start_boottime(run, leader))
		return NULL;
	return birth;
}

/* By an exec or its exit: what it does from now on is no multiplying of what it was. */
static __always_inline void forget_birth(struct tapio_run *run, struct task_struct *task)
{
	struct tapio_brood *brood;
	struct tapio_birth *birth;

	if (!bomb_processes)
		return;
	birth = birth_of(run, task);
	if (!birth)
		return;
	if (birth->generation >= TAPIO_PROCESS_DEEP) {
		__u64 cgroup_id = birth->cgroup_id;

		brood = bpf_map_lookup_elem(&broods, &cgroup_id);
		if (brood && brood->window == birth->window)
			__sync_fetch_and_add(&brood->deep, -1);
	}
	birth->start_ns = 0;
}

static __always_inline struct tapio_brood *brood_of(const struct tapio_birth *birth)
{
	__u64 cgroup_id = birth->cgroup_id;
	struct tapio_brood fresh = {.window = birth->window};
	struct tapio_brood *brood = bpf_map_lookup_elem(&broods, &cgroup_id);

	if (!brood) {
		bpf_map_update_elem(&broods, &cgroup_id, &fresh, BPF_NOEXIST);
		return bpf_map_lookup_elem(&broods, &cgroup_id);
	}
	/* Another CPU may do the same: some births are lost then. */
	if (brood->window != birth->window) {
		brood->window = birth->window;
		brood->births = brood->deepest = brood->told = 0;
		brood->deep = 0;
	}
	return brood;
}

static __always_inline __u32 generation_of(struct tapio_run *run, struct task_struct *parent)
{
	const struct tapio_birth *birth = birth_of(run, parent);

	return birth ? birth->generation + 1 : 1;
}

TAPIO_TRACEPOINT(sched_process_fork, TAPIO_PROCESS_ON_MULTIPLY, multiply,
		 struct task_struct *caller, struct task_struct *child)
{
	struct task_struct *parent;
	struct tapio_process_multiply *e;
	struct tapio_birth *birth;
	struct tapio_brood *brood;
	__u32 tgid = TAPIO_GET(run, child, tgid);

	if (!bomb_processes || TAPIO_GET(run, child, pid) != tgid)
		return;
	parent = TAPIO_GET(run, child, real_parent, group_leader);
	birth = birth_place(tgid);
	if (!birth)
		return;
	birth->start_ns = tapio_start_boottime(run, child);
	birth->generation = generation_of(run, parent);
	if (birth->generation < TAPIO_PROCESS_DEEP)
		return;
	birth->window = bpf_ktime_get_ns() >> WINDOW_SHIFT;
	birth->cgroup_id = tapio_cgroup_id(run, child, tapio.cgroup_subsystem);
	brood = brood_of(birth);
	if (!brood)
		return;
	if (birth->generation > brood->deepest)
		brood->deepest = birth->generation;
	__sync_fetch_and_add(&brood->births, 1);
	__sync_fetch_and_add(&brood->deep, 1);
	if (brood->deep < (__s32)bomb_processes || brood->told)
		return;
	brood->told = 1;
	e = TAPIO_BEGIN(run, tapio_process_multiply, TAPIO_PROCESS_MULTIPLY, TAPIO_CRITICAL, 0);
	if (!e)
		return;
	e->cgroup_id = birth->cgroup_id;
	e->start_ns = birth->start_ns;
	e->parent_start_ns = tapio_start_boottime(run, parent);
	e->tgid = tgid;
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	e->births = brood->births;
	e->living = brood->deep;
	e->deepest = brood->deepest;
	TAPIO_COPY(run, e->comm, child, comm);
	TAPIO_END(run, e);
}

#endif
