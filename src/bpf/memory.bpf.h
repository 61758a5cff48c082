/* SPDX-License-Identifier: GPL-2.0-only */
/* What memory cgroups count, level by level. */
#ifndef TAPIO_MEMORY_BPF_H
#define TAPIO_MEMORY_BPF_H

#include "bpf/tapio.bpf.h"

/* PAGE_COUNTER_MAX, include/linux/page_counter.h: no limit. */
static __always_inline __u64 tapio_limit_bytes(__u64 pages, __u64 page_bytes)
{
	return pages >= (~0ULL >> 1) / page_bytes ? ~0ULL : pages * page_bytes;
}

static __always_inline void tapio_memory_level(struct tapio_run *run, struct mem_cgroup *memcg,
					       bool v2, __u64 page_bytes,
					       struct tapio_memory_level *out)
{
	out->cgroup_id = tapio_kernfs_id(run, TAPIO_GET(run, memcg, css.cgroup, kn));
	out->usage = TAPIO_GET(run, memcg, memory.usage.counter) * page_bytes;
	out->max = tapio_limit_bytes(TAPIO_GET(run, memcg, memory.max), page_bytes);
	if (v2) {
		out->swap_usage = TAPIO_GET(run, memcg, swap.usage.counter) * page_bytes;
		out->swap_max = tapio_limit_bytes(TAPIO_GET(run, memcg, swap.max), page_bytes);
	} else {
		out->swap_usage = TAPIO_GET(run, memcg, memsw.usage.counter) * page_bytes;
		out->swap_max = tapio_limit_bytes(TAPIO_GET(run, memcg, memsw.max), page_bytes);
	}
}

/* A task's memory cgroup and its ancestors, as far as their counters hang together; not the root,
 * which the kernel does not charge. How many were written. */
static __always_inline __u32 tapio_memory_levels(struct tapio_run *run, struct task_struct *task,
						 __u64 page_bytes,
						 struct tapio_memory_level *levels)
{
	struct tapio_run by_helper = {.row = run->row}; /* a css is cast to what it lies in */
	struct css_set *set = TAPIO_GET(run, task, cgroups);
	struct cgroup_subsys_state *css, *above;
	struct mem_cgroup *memcg;
	__u32 count = 0;
	bool v2;

	if (!set || !bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return 0;
	run = &by_helper;
	css = tapio_css(run, set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
	v2 = css && TAPIO_GET(run, css, cgroup, root, hierarchy_id) == 0;
	for (__u32 i = 0; i < TAPIO_MEMORY_LEVELS; i++) {
		above = css ? TAPIO_GET(run, css, parent) : NULL;
		if (!above)
			break;
		memcg = (void *)css - bpf_core_field_offset(struct mem_cgroup, css);
		tapio_memory_level(run, memcg, v2, page_bytes, &levels[i]);
		count = i + 1;
		if (!TAPIO_GET(run, memcg, memory.parent)) /* v1 without use_hierarchy */
			break;
		css = above;
	}
	return count;
}

#endif
