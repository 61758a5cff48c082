/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TAPIO_OOM_SCORE_ABI_H
#define TAPIO_OOM_SCORE_ABI_H

#include "bpf/abi.h"

/* Hooks: rows of the ledger. */
enum tapio_oom_score_hook {
	TAPIO_OOM_SCORE_ON_UPDATE,
};

#define TAPIO_OOM_SCORE_CHANGED 0xfe01
#define TAPIO_OOM_SCORE_CHANGED_VERSION 1

/* OOM_SCORE_ADJ_MIN and OOM_SCORE_ADJ_MAX of linux/oom.h. */
#define TAPIO_OOM_SCORE_NEVER (-1000)
#define TAPIO_OOM_SCORE_FIRST 1000

/* The header names the task that changed it, the rest the process whose score it is. */
struct tapio_oom_score_changed {
	struct tapio_event_header header;
	__u32 target_tgid;
	__s32 adjustment; /* as /proc/PID/oom_score_adj has it */
	char target_comm[TAPIO_COMM_LEN];
};
TAPIO_ABI(tapio_oom_score_changed, 40 + 24);

#endif
