/* SPDX-License-Identifier: GPL-2.0-only */
/* Who a task is: ids, namespaces, credentials; and whether a filter wants it. */
#ifndef TAPIO_TASK_BPF_H
#define TAPIO_TASK_BPF_H

#include "bpf/tapio.bpf.h"

/* The depth of a task's pid namespace; 0: the initial one. */
static __always_inline __u32 tapio_pid_level(struct tapio_run *run, struct task_struct *task)
{
	return TAPIO_GET(run, task, thread_pid, level);
}

/* A task's number in its own pid namespace, and that namespace's inode. */
static __always_inline void tapio_virtual_pid(struct tapio_run *run, struct task_struct *task,
					      __u32 *number, __u64 *namespace)
{
	struct pid *pid = TAPIO_GET(run, task, thread_pid);
	struct upid own = {};
	__u32 level;

	if (!pid)
		return;
	level = TAPIO_GET(run, pid, level);
	if (!level) {
		*number = TAPIO_GET(run, pid, numbers[0].nr);
		*namespace = TAPIO_GET(run, pid, numbers[0].ns, ns.inum);
		return;
	}
	TAPIO_READ(run, own, &pid->numbers[0] + level);
	*number = own.nr;
	*namespace = TAPIO_PROBE(run, own.ns, ns.inum);
}

static __always_inline void tapio_read_cred(struct tapio_run *run, const struct cred *cred,
					    struct tapio_credentials *out)
{
	if (!cred)
		return;
	out->uid = TAPIO_GET(run, cred, uid.val);
	out->gid = TAPIO_GET(run, cred, gid.val);
	out->suid = TAPIO_GET(run, cred, suid.val);
	out->sgid = TAPIO_GET(run, cred, sgid.val);
	out->euid = TAPIO_GET(run, cred, euid.val);
	out->egid = TAPIO_GET(run, cred, egid.val);
	/* 64 bits since f122a08b197d (6.3), two words of 32 before: alike on little endian. */
	TAPIO_COPY(run, out->inheritable, cred, cap_inheritable);
	TAPIO_COPY(run, out->permitted, cred, cap_permitted);
	TAPIO_COPY(run, out->effective, cred, cap_effective);
	TAPIO_COPY(run, out->bounding, cred, cap_bset);
	TAPIO_COPY(run, out->ambient, cred, cap_ambient);
	out->user_namespace = TAPIO_GET(run, cred, user_ns, ns.inum);
}

static __always_inline void tapio_credentials(struct tapio_run *run, struct task_struct *task,
					      struct tapio_credentials *out)
{
	tapio_read_cred(run, TAPIO_GET(run, task, cred), out);
}

static __always_inline bool tapio_comm_is(struct tapio_run *run, struct task_struct *task,
					  const volatile char *wanted)
{
	char comm[TAPIO_COMM_LEN] __attribute__((aligned(8))) = {};

	TAPIO_COPY(run, comm, task, comm);
	for (int i = 0; i < TAPIO_COMM_LEN; i++) {
		if (comm[i] != wanted[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

static __always_inline bool tapio_wants(struct tapio_run *run,
					const volatile struct tapio_filter *filter,
					struct task_struct *task)
{
	__u32 check = filter->check;

	if (!check)
		return true;
	if (check & TAPIO_CHECK_CONTAINER && !tapio_pid_level(run, task))
		return false;
	if (check & TAPIO_CHECK_UID && TAPIO_GET(run, task, cred, euid.val) != filter->uid)
		return false;
	if (check & TAPIO_CHECK_CGROUP &&
	    tapio_cgroup_id(run, task, tapio.cgroup_subsystem) != filter->cgroup_id)
		return false;
	return !(check & TAPIO_CHECK_COMM) || tapio_comm_is(run, task, filter->comm);
}

#endif
