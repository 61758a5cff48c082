// SPDX-License-Identifier: GPL-2.0-only
#define TAPIO_SLOT_BYTES 2048
#include "bpf/tapio.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/text.bpf.h"
#include "container.abi.h"

/* Every task is in one cgroup of every hierarchy, so the current one knows the root of the chosen
 * hierarchy, also when that was mounted anew since the start. */
static __always_inline struct cgroup_root *chosen_root(struct tapio_run *run)
{
	struct task_struct *task = tapio_current(run);
	struct css_set *set = TAPIO_GET(run, task, cgroups);
	struct cgroup_subsys_state *css;

	if (!set)
		return NULL;
	if (tapio.cgroup_subsystem == TAPIO_CGROUP_V2)
		return TAPIO_GET(run, set, dfl_cgrp, root);
	css = tapio_css(run, set, tapio.cgroup_subsystem);
	return TAPIO_GET(run, css, cgroup, root);
}

static __always_inline bool is_chosen(struct tapio_run *run, struct cgroup *cgroup)
{
	struct cgroup_root *root = TAPIO_GET(run, cgroup, root);

	return root && root == chosen_root(run);
}

static __always_inline void about_cgroup(struct tapio_run *run, struct tapio_container_cgroup *e,
					 struct cgroup *cgroup, const char *path)
{
	e->cgroup_id = tapio_kernfs_id(run, TAPIO_GET(run, cgroup, kn));
	tapio_append_string(run, &e->path, path, TAPIO_CONTAINER_PATH_BYTES);
	TAPIO_END_TAIL(run, e);
}

TAPIO_TRACEPOINT(cgroup_mkdir, TAPIO_CONTAINER_ON_MKDIR, created, struct cgroup *cgroup,
		 const char *path)
{
	struct tapio_container_cgroup *e;

	if (!is_chosen(run, cgroup))
		return;
	e = TAPIO_BEGIN_TAIL(run, tapio_container_cgroup, TAPIO_CONTAINER_CREATED, TAPIO_STATE);
	if (e)
		about_cgroup(run, e, cgroup, path);
}

/* A thread that moves alone, as v1 and threaded cgroups allow, does not take its process along. */
TAPIO_TRACEPOINT(cgroup_attach_task, TAPIO_CONTAINER_ON_MOVE, moved, struct cgroup *cgroup,
		 const char *path, struct task_struct *task, bool whole)
{
	struct task_struct *caller = tapio_current(run);
	pid_t tgid = TAPIO_GET(run, task, tgid);
	struct tapio_container_move *e;

	if (!whole && TAPIO_GET(run, task, pid) != tgid)
		return;
	if (!is_chosen(run, cgroup))
		return;
	e = TAPIO_BEGIN(run, tapio_container_move, TAPIO_CONTAINER_MOVED, TAPIO_STATE, 0);
	if (!e)
		return;
	e->start_ns = tapio_start_boottime(run, TAPIO_GET(run, task, group_leader));
	e->cgroup_id = tapio_kernfs_id(run, TAPIO_GET(run, cgroup, kn));
	e->caller_start_ns = tapio_start_boottime(run, TAPIO_GET(run, caller, group_leader));
	e->tgid = tgid;
	TAPIO_COPY(run, e->comm, task, group_leader, comm);
	TAPIO_END(run, e);
}

TAPIO_TRACEPOINT(cgroup_rmdir, TAPIO_CONTAINER_ON_RMDIR, removed, struct cgroup *cgroup,
		 const char *path)
{
	struct tapio_container_cgroup *e;

	if (!is_chosen(run, cgroup))
		return;
	e = TAPIO_BEGIN_TAIL(run, tapio_container_cgroup, TAPIO_CONTAINER_REMOVED, TAPIO_STATE);
	if (e)
		about_cgroup(run, e, cgroup, path);
}
