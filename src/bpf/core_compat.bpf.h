/* SPDX-License-Identifier: GPL-2.0-only */
/* What changed between 5.4 and 7.x: one accessor per change, with the commit that made it needed.
 * Decided by CO-RE relocations: the branch that a kernel does not need is dead code there. */
#ifndef TAPIO_CORE_COMPAT_BPF_H
#define TAPIO_CORE_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "bpf/abi.h"

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

static __always_inline __u64 tapio_kernfs_id(struct kernfs_node *node)
{
	if (bpf_core_field_exists(struct kernfs_node___v5_4, id.id))
		return BPF_CORE_READ((struct kernfs_node___v5_4 *)node, id.id);
	return BPF_CORE_READ(node, id);
}

/* Nanoseconds since boot, suspend included. Of a group leader: when the process began. */
static __always_inline __u64 tapio_start_boottime(struct task_struct *task)
{
	if (bpf_core_field_exists(struct task_struct___v5_4, real_start_time))
		return BPF_CORE_READ((struct task_struct___v5_4 *)task, real_start_time);
	return BPF_CORE_READ(task, start_boottime);
}

/* The kernfs id of a task's cgroup: TAPIO_CGROUP_V2 or an index of css_set.subsys. */
static __always_inline __u64 tapio_cgroup_id(struct task_struct *task, __u32 subsystem)
{
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set = BPF_CORE_READ(task, cgroups);

	if (!set) /* a task that is being made or buried */
		return 0;
	if (subsystem == TAPIO_CGROUP_V2)
		return tapio_kernfs_id(BPF_CORE_READ(set, dfl_cgrp, kn));
	if (bpf_probe_read_kernel(&css, sizeof(css), &set->subsys[0] + subsystem) || !css)
		return 0;
	return tapio_kernfs_id(BPF_CORE_READ(css, cgroup, kn));
}

/* bpf_get_current_cgroup_id() would answer 1, the root of v2, for everybody in a v1 hierarchy. */
static __always_inline __u64 tapio_current_cgroup_id(__u32 subsystem)
{
	if (subsystem != TAPIO_CGROUP_V2)
		return tapio_cgroup_id((void *)bpf_get_current_task(), subsystem);
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) /* 5.11 */
		return bpf_get_current_task_btf()->cgroups->dfl_cgrp->kn->id;
	return bpf_get_current_cgroup_id(); /* the same, 14 ns later */
}

#endif
