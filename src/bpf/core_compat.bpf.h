/* SPDX-License-Identifier: GPL-2.0-only */
/* What changed between 5.4 and 7.x: one accessor per change, with the commit that made it needed.
 * Decided by CO-RE relocations: the branch that a kernel does not need is dead code there. */
#ifndef TAPIO_CORE_COMPAT_BPF_H
#define TAPIO_CORE_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "bpf/abi.h"
#include "bpf/read.bpf.h"

/* 67c0496e87d1 (5.5): kernfs_node.id was a union of 64 bits before. */
struct kernfs_node___v5_4 {
	union {
		__u64 id;
	} id;
} __attribute__((preserve_access_index));

/* cf25e24db61c (5.5): task_struct.real_start_time became start_boottime. */
struct task_struct___v5_4 {
	__u64 real_start_time;
} __attribute__((preserve_access_index));

/* f1a7941243c1 (6.2): mm_struct.rss_stat became an array of per-CPU counters. */
struct mm_rss_stat___v6_1 {
	atomic_long_t count[4];
} __attribute__((preserve_access_index));
struct mm_struct___v6_1 {
	struct mm_rss_stat___v6_1 rss_stat;
} __attribute__((preserve_access_index));

/* Pages of one kind; `kind` is a constant, as in include/linux/mm_types_task.h. From 6.2 on, what a
 * CPU has not yet handed in is not in it: less than 32 pages of each CPU, or, if that is more, than
 * twice as many as there are CPUs. */
#define TAPIO_MM_FILE 0
#define TAPIO_MM_ANON 1
#define TAPIO_MM_SWAP 2
#define TAPIO_MM_SHMEM 3
#define tapio_mm_pages(mm, kind)                                                              \
	({                                                                                    \
		struct mm_struct *mm_ = (mm);                                                 \
		__s64 pages_;                                                                 \
		if (bpf_core_field_exists(struct mm_struct___v6_1, rss_stat.count))           \
			pages_ = BPF_CORE_READ((struct mm_struct___v6_1 *)mm_,                \
					       rss_stat.count[kind].counter);                 \
		else                                                                          \
			pages_ = BPF_CORE_READ(mm_, rss_stat[kind].count);                    \
		pages_ > 0 ? (__u64)pages_ : 0;                                               \
	})

/* 72ba14deb40a (6.9, and stable releases since): the tracepoint mark_victim passes the task, where
 * it passed the pid of the thread. Both call for the same number. */
static __always_inline __u32 tapio_victim_tid(void *victim)
{
	if (bpf_core_field_exists(struct trace_event_raw_mark_victim, uid))
		return BPF_CORE_READ((struct task_struct *)victim, pid);
	return (__u32)(unsigned long)victim;
}

/* Under way in execve(2), which commits credentials too. */
static __always_inline bool tapio_in_execve(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->in_execve))
		return false;
	return BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/* 6.14: dentry.d_iname became d_shortname. */
union shortname_store___v6_14 {
	unsigned char string[40];
} __attribute__((preserve_access_index));
struct dentry___v6_14 {
	union shortname_store___v6_14 d_shortname;
} __attribute__((preserve_access_index));

/* Where a name lies that is short enough for its dentry. As words, and its room: of 64-bit kernels
 * 32 bytes, since 6.12 40. */
#define TAPIO_SHORT_NAME_MAX 40
static __always_inline const __u64 *tapio_short_name(struct dentry *dentry)
{
	struct dentry___v6_14 *newer = (void *)dentry;

	if (bpf_core_field_exists(newer->d_shortname))
		return (const void *)__builtin_preserve_access_index(&newer->d_shortname);
	return (const void *)__builtin_preserve_access_index(&dentry->d_iname);
}

static __always_inline __u32 tapio_short_name_bytes(void)
{
	if (bpf_core_field_exists(struct dentry___v6_14, d_shortname))
		return bpf_core_field_size(struct dentry___v6_14, d_shortname);
	return bpf_core_field_size(struct dentry, d_iname);
}

static __always_inline __u64 tapio_kernfs_id(struct tapio_run *run, struct kernfs_node *node)
{
	if (bpf_core_field_exists(struct kernfs_node___v5_4, id.id))
		return TAPIO_PROBE(run, (struct kernfs_node___v5_4 *)node, id.id);
	return TAPIO_GET(run, node, id);
}

/* Nanoseconds since boot, suspend included. Of a group leader: when the process began. */
static __always_inline __u64 tapio_start_boottime(struct tapio_run *run, struct task_struct *task)
{
	if (bpf_core_field_exists(struct task_struct___v5_4, real_start_time))
		return TAPIO_PROBE(run, (struct task_struct___v5_4 *)task, real_start_time);
	return TAPIO_GET(run, task, start_boottime);
}

/* What a controller keeps for a task's cgroup; NULL: unreadable, or not in this kernel. */
static __always_inline struct cgroup_subsys_state *tapio_css(struct tapio_run *run,
							     struct css_set *set, __u32 subsystem)
{
	struct cgroup_subsys_state *css = NULL, **place = &set->subsys[0] + subsystem;

	if (run->typed)
		css = *place;
	else
		TAPIO_READ(run, css, place);
	return css;
}

/* The kernfs id of a task's cgroup: TAPIO_CGROUP_V2 or an index of css_set.subsys; 0: it has none,
 * as a task that is being made or buried. */
static __always_inline __u64 tapio_cgroup_id(struct tapio_run *run, struct task_struct *task,
					     __u32 subsystem)
{
	struct css_set *set = TAPIO_GET(run, task, cgroups);
	struct cgroup_subsys_state *css;

	if (!set)
		return 0;
	if (subsystem == TAPIO_CGROUP_V2)
		return tapio_kernfs_id(run, TAPIO_GET(run, set, dfl_cgrp, kn));
	css = tapio_css(run, set, subsystem);
	return css ? tapio_kernfs_id(run, TAPIO_GET(run, css, cgroup, kn)) : 0;
}

/* The task that runs, as what `run` can read. Typed programs need 5.11, and so this. */
static __always_inline struct task_struct *tapio_current(const struct tapio_run *run)
{
	if (run->typed)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* bpf_get_current_cgroup_id() would answer 1, the root of v2, for everybody in a v1 hierarchy. */
static __always_inline __u64 tapio_current_cgroup_id(struct tapio_run *run, __u32 subsystem)
{
	struct tapio_run typed = {.row = run->row, .typed = 1};

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return tapio_cgroup_id(&typed, bpf_get_current_task_btf(), subsystem);
	if (subsystem != TAPIO_CGROUP_V2)
		return tapio_cgroup_id(run, tapio_current(run), subsystem);
	return bpf_get_current_cgroup_id();
}

#endif
