// SPDX-License-Identifier: GPL-2.0-only
#include "bpf/tapio.bpf.h"
#include "oom_score.abi.h"

const volatile __u32 only_extremes = 0;

/* Runs in the task that made the change, when it has been made. */
TAPIO_TRACEPOINT(oom_score_adj_update, TAPIO_OOM_SCORE_ON_UPDATE, changed, struct task_struct *task)
{
	__s32 adjustment = TAPIO_GET(run, task, signal, oom_score_adj);
	struct tapio_oom_score_changed *e;

	if (only_extremes && adjustment != TAPIO_OOM_SCORE_NEVER &&
	    adjustment != TAPIO_OOM_SCORE_FIRST)
		return;
	e = TAPIO_BEGIN(run, tapio_oom_score_changed, TAPIO_OOM_SCORE_CHANGED, TAPIO_NORMAL, 0);
	if (!e)
		return;
	e->target_tgid = TAPIO_GET(run, task, tgid);
	e->adjustment = adjustment;
	TAPIO_COPY(run, e->target_comm, task, group_leader, comm);
	TAPIO_END(run, e);
}
