// SPDX-License-Identifier: GPL-2.0-only
/* Programs that are wrong on purpose, and no part of Tapio: the matrix must fail on each. */
#include "bpf/tapio.bpf.h"

#define FAULTS_HOOK 0 /* each is the only hook of its observer */
#define FAULTS_FOUND 0xff01
#define FAULTS_FOUND_VERSION 1
#define FAULTS_TURNS 42000

struct faults_event {
	struct tapio_event_header header;
};

static __always_inline void tell(struct tapio_run *run)
{
	struct faults_event *e = TAPIO_BEGIN(run, faults_event, FAULTS_FOUND, TAPIO_NORMAL, 0);

	if (e)
		TAPIO_END(run, e);
}

/* No kernel has this tracepoint. */
TAPIO_TRACEPOINT(tapio_is_nowhere, FAULTS_HOOK, nowhere, struct task_struct *task)
{
	tell(run);
}

/* Since 6.10. */
TAPIO_TRACEPOINT(sched_prepare_exec, FAULTS_HOOK, prepare, struct task_struct *task)
{
	tell(run);
}

/* The verifier walks through every turn, and no two of them are alike: over 500,000 instructions,
 * and below the 1,000,000 that the kernel itself allows. */
TAPIO_TRACEPOINT(sched_process_exit, FAULTS_HOOK, endless, struct task_struct *task)
{
	__u64 noise = bpf_ktime_get_ns();

#pragma nounroll
	for (__u32 turn = 0; turn < FAULTS_TURNS; turn++) {
		noise ^= noise << 13;
		noise ^= noise >> 7;
		noise ^= noise << 17;
	}
	if (noise)
		tell(run);
}
