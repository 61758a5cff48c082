/* SPDX-License-Identifier: GPL-2.0-only */
/* Who a task is: ids, namespaces, credentials; and whether a filter wants it. */
#ifndef TAPIO_TASK_BPF_H
#define TAPIO_TASK_BPF_H

#include "bpf/tapio.bpf.h"

static __always_inline struct task_struct *tapio_current(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

/* The depth of a task's pid namespace; 0: the initial one. */
static __always_inline __u32 tapio_pid_level(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_pid, level);
}

/* A task's number in its own pid namespace, and that namespace's inode. */
static __always_inline void tapio_virtual_pid(struct tapio_run *run, struct task_struct *task,
					      __u32 *number, __u64 *namespace)
{
	struct pid *pid = TAPIO_GET(run, task, thread_pid);
	struct upid own = {};

	if (!pid)
		return;
	TAPIO_READ(run, own, &pid->numbers[0] + TAPIO_GET(run, pid, level));
	*number = own.nr;
	*namespace = TAPIO_GET(run, own.ns, ns.inum);
}

/* 64 bits since f122a08b197d (6.3), two words of 32 before: the same bytes on little endian. */
#define TAPIO_CAPABILITIES(run, dst, cred, set) \
	TAPIO_READ(run, dst, __builtin_preserve_access_index(&(cred)->set))

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
	TAPIO_CAPABILITIES(run, out->inheritable, cred, cap_inheritable);
	TAPIO_CAPABILITIES(run, out->permitted, cred, cap_permitted);
	TAPIO_CAPABILITIES(run, out->effective, cred, cap_effective);
	TAPIO_CAPABILITIES(run, out->bounding, cred, cap_bset);
	TAPIO_CAPABILITIES(run, out->ambient, cred, cap_ambient);
	out->user_namespace = TAPIO_GET(run, cred, user_ns, ns.inum);
}

static __always_inline void tapio_credentials(struct tapio_run *run, struct task_struct *task,
					      struct tapio_credentials *out)
{
	tapio_read_cred(run, TAPIO_GET(run, task, cred), out);
}

static __always_inline bool tapio_comm_is(struct task_struct *task, const volatile char *wanted)
{
	char comm[TAPIO_COMM_LEN] = {};

	BPF_CORE_READ_INTO(&comm, task, comm);
	for (int i = 0; i < TAPIO_COMM_LEN; i++) {
		if (comm[i] != wanted[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

static __always_inline bool tapio_wants(const volatile struct tapio_filter *filter,
					struct task_struct *task)
{
	__u32 check = filter->check;

	if (!check)
		return true;
	if (check & TAPIO_CHECK_CONTAINER && !tapio_pid_level(task))
		return false;
	if (check & TAPIO_CHECK_UID && BPF_CORE_READ(task, cred, euid.val) != filter->uid)
		return false;
	if (check & TAPIO_CHECK_CGROUP &&
	    tapio_cgroup_id(task, tapio.cgroup_subsystem) != filter->cgroup_id)
		return false;
	return !(check & TAPIO_CHECK_COMM) || tapio_comm_is(task, filter->comm);
}

#endif
