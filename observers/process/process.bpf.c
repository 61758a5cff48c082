// SPDX-License-Identifier: GPL-2.0-only
#define TAPIO_SLOT_BYTES 4096
#include "bpf/tapio.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/text.bpf.h"
#include "process.abi.h"

#define SI_USER 0
#define SI_KERNEL 0x80
#define SIGKILL 9
#define SIGSTOP 19
#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

/* Bit n-1 stands for signal n. */
const volatile __u64 signal_mask = ~0ULL;
const volatile struct tapio_filter filter = {};
const volatile __u64 page_bytes = 4096;
const volatile __u32 deliveries = 1; /* 0: the taking of signals is not reported */

/* By default these do not end a process: CHLD CONT STOP TSTP TTIN TTOU URG WINCH (kernel/signal.c,
 * SIG_KERNEL_IGNORE_MASK and SIG_KERNEL_STOP_MASK). */
#define HARMLESS 0x87f0000ULL

/* Ask a process to end: HUP INT QUIT TERM. It may catch them, and then ends all the same. */
#define ENDING 0x4007ULL

static __always_inline bool has(__u64 mask, int signal)
{
	return signal > 0 && signal <= 64 && mask >> (signal - 1) & 1;
}

/* The filter never keeps an event of class `state` back: the tables need it. */
static __always_inline __u16 unless_wanted(struct task_struct *task)
{
	return tapio_wants(&filter, task) ? 0 : TAPIO_STATE_ONLY;
}

TAPIO_TRACEPOINT(sched_process_fork, TAPIO_PROCESS_ON_FORK, fork,
		 struct task_struct *caller, struct task_struct *child)
{
	struct task_struct *parent;
	struct tapio_process_fork *e;
	pid_t tgid = TAPIO_GET(run, child, tgid);

	if (TAPIO_GET(run, child, pid) != tgid)
		return;
	e = TAPIO_BEGIN(run, tapio_process_fork, TAPIO_PROCESS_FORK, TAPIO_STATE, 0);
	if (!e)
		return;
	parent = TAPIO_GET(run, child, real_parent, group_leader);
	e->start_ns = tapio_start_boottime(child);
	e->parent_start_ns = tapio_start_boottime(parent);
	e->cgroup_id = tapio_cgroup_id(child, tapio.cgroup_subsystem);
	e->tgid = tgid;
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	e->uid = TAPIO_GET(run, child, cred, euid.val);
	tapio_virtual_pid(run, child, &e->virtual_pid, &e->pid_namespace);
	TAPIO_COPY(run, e->comm, child, comm);
	e->header.flags |= unless_wanted(child);
	TAPIO_END(run, e);
}

static __always_inline void about_program(struct tapio_run *run, struct tapio_process_exec *e,
					  struct task_struct *task, struct linux_binprm *program)
{
	struct mm_struct *mm = TAPIO_GET(run, task, mm);
	struct fs_struct *fs = TAPIO_GET(run, task, fs);
	struct file *file = TAPIO_GET(run, mm, exe_file);
	__u64 args = TAPIO_GET(run, mm, arg_start);

	tapio_append_string(run, &e->filename, TAPIO_GET(run, program, filename),
			    TAPIO_PROCESS_FILENAME_BYTES);
	tapio_append_path(run, &e->executable, TAPIO_GET(run, file, f_path.mnt),
			  TAPIO_GET(run, file, f_path.dentry), TAPIO_PROCESS_PATH_BYTES);
	tapio_append_path(run, &e->cwd, TAPIO_GET(run, fs, pwd.mnt),
			  TAPIO_GET(run, fs, pwd.dentry), TAPIO_PROCESS_CWD_BYTES);
	tapio_append_user(run, &e->args, args, TAPIO_GET(run, mm, arg_end) - args,
			  TAPIO_PROCESS_ARGS_BYTES);
	TAPIO_END_TAIL(run, e);
}

TAPIO_TRACEPOINT(sched_process_exec, TAPIO_PROCESS_ON_EXEC, exec,
		 struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct tapio_process_exec *e =
		TAPIO_BEGIN_TAIL(run, tapio_process_exec, TAPIO_PROCESS_EXEC, TAPIO_STATE);
	struct task_struct *parent;

	if (!e)
		return;
	parent = TAPIO_GET(run, task, real_parent, group_leader);
	e->start_ns = tapio_start_boottime(task); /* exec made this thread the leader */
	e->parent_start_ns = tapio_start_boottime(parent);
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	tapio_virtual_pid(run, task, &e->virtual_pid, &e->pid_namespace);
	tapio_credentials(run, task, &e->credentials);
	TAPIO_COPY(run, e->comm, task, comm);
	e->header.flags |= unless_wanted(task);
	about_program(run, e, task, program);
}

/* What wait(2) will tell the parent. */
static __always_inline __u32 status_of(struct tapio_run *run, struct task_struct *task)
{
	if (TAPIO_GET(run, task, signal, flags) & SIGNAL_GROUP_EXIT)
		return TAPIO_GET(run, task, signal, group_exit_code);
	return TAPIO_GET(run, task, group_leader, exit_code);
}

static __always_inline bool is_last_thread(struct tapio_run *run, struct task_struct *task)
{
	return TAPIO_GET(run, task, signal, live.counter) == 0;
}

static __always_inline void about_exit(struct tapio_run *run, struct tapio_process_exit *e,
				       struct task_struct *task, __u32 status)
{
	struct task_struct *leader = TAPIO_GET(run, task, group_leader);
	struct task_struct *parent = TAPIO_GET(run, leader, real_parent, group_leader);

	e->start_ns = tapio_start_boottime(leader);
	e->parent_start_ns = tapio_start_boottime(parent);
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	e->cpu_ns = TAPIO_GET(run, task, signal, sum_sched_runtime) +
		    TAPIO_GET(run, task, se.sum_exec_runtime);
	if (leader != task)
		e->cpu_ns += TAPIO_GET(run, leader, se.sum_exec_runtime);
	e->peak_rss = TAPIO_GET(run, task, signal, maxrss) * page_bytes;
	e->status = status;
	e->uid = TAPIO_GET(run, task, cred, euid.val);
	TAPIO_COPY(run, e->comm, leader, comm);
	e->header.flags |= unless_wanted(task);
	TAPIO_END(run, e);
}

TAPIO_TRACEPOINT(sched_process_exit, TAPIO_PROCESS_ON_EXIT, exit, struct task_struct *task)
{
	struct tapio_process_exit *e;

	if (!is_last_thread(run, task))
		return;
	e = TAPIO_BEGIN(run, tapio_process_exit, TAPIO_PROCESS_EXIT, TAPIO_STATE, 0);
	if (e)
		about_exit(run, e, task, status_of(run, task));
}

/* The same moment again, for those that a signal ended: at once, by the ring that storms of other
 * events cannot fill. */
TAPIO_TRACEPOINT(sched_process_exit, TAPIO_PROCESS_ON_DEATH, death, struct task_struct *task)
{
	struct tapio_process_exit *e;
	__u32 status;

	if (!is_last_thread(run, task))
		return;
	status = status_of(run, task);
	if (!(status & 0x7f) || !tapio_wants(&filter, task))
		return;
	e = TAPIO_BEGIN(run, tapio_process_exit, TAPIO_PROCESS_DEATH, TAPIO_CRITICAL,
			status & 0x7f);
	if (e)
		about_exit(run, e, task, status);
}

/* `info` may be 0 or 1 (SEND_SIG_NOINFO, SEND_SIG_PRIV). That is why 7.2 no longer takes it for a
 * pointer, not even in typed programs: it is always read by helper. */
static __always_inline __u8 siginfo_of(const struct kernel_siginfo *info)
{
	if ((unsigned long)info > TAPIO_SIGINFO_PRIV)
		return TAPIO_SIGINFO_GIVEN;
	return info ? TAPIO_SIGINFO_PRIV : TAPIO_SIGINFO_NONE;
}

static __always_inline int code_of(struct tapio_run *run, const struct kernel_siginfo *info)
{
	switch (siginfo_of(info)) {
	case TAPIO_SIGINFO_GIVEN:
		return TAPIO_GET(run, info, si_code);
	case TAPIO_SIGINFO_PRIV:
		return SI_KERNEL;
	default:
		return SI_USER;
	}
}

/* Would it end the target as things are? A blocked signal waits, and still would. */
static __always_inline bool is_lethal(struct tapio_run *run, struct task_struct *target, int signal)
{
	struct sighand_struct *handlers;
	struct k_sigaction *action;
	void *handler = NULL;

	if (signal == SIGKILL)
		return true;
	if (signal <= 0 || signal > 64 || has(HARMLESS, signal))
		return false;
	handlers = TAPIO_GET(run, target, sighand);
	if (!handlers)
		return false;
	action = __builtin_preserve_access_index(&handlers->action[0]);
	action = (void *)action + (signal - 1) * bpf_core_type_size(struct k_sigaction);
	TAPIO_READ(run, handler, __builtin_preserve_access_index(&action->sa.sa_handler));
	return !handler; /* SIG_DFL */
}

TAPIO_TRACEPOINT(signal_generate, TAPIO_PROCESS_ON_GENERATE, generate, int signal,
		 struct kernel_siginfo *info, struct task_struct *target, int group, int result)
{
	struct task_struct *running = tapio_current(), *leader, *sender;
	struct tapio_process_signal *e;
	bool lethal, ends;

	if (!has(signal_mask, signal) ||
	    (!tapio_wants(&filter, target) && !tapio_wants(&filter, running)))
		return;
	lethal = is_lethal(run, target, signal);
	ends = !result && (lethal || has(ENDING, signal));
	e = TAPIO_BEGIN(run, tapio_process_signal, TAPIO_PROCESS_SIGNAL,
			ends ? TAPIO_CRITICAL : TAPIO_NORMAL, signal);
	if (!e)
		return;
	leader = TAPIO_GET(run, target, group_leader);
	sender = TAPIO_GET(run, running, group_leader);
	e->running_start_ns = tapio_start_boottime(sender);
	e->target_start_ns = tapio_start_boottime(leader);
	e->target_cgroup_id = tapio_cgroup_id(target, tapio.cgroup_subsystem);
	e->target_tgid = TAPIO_GET(run, target, tgid);
	e->target_tid = TAPIO_GET(run, target, pid);
	e->signal = signal;
	e->code = code_of(run, info);
	e->result = result;
	e->siginfo = siginfo_of(info);
	e->to_group = group;
	e->lethal = lethal;
	TAPIO_COPY(run, e->running_comm, sender, comm);
	TAPIO_COPY(run, e->target_comm, leader, comm);
	TAPIO_END(run, e);
}

TAPIO_TRACEPOINT(signal_deliver, TAPIO_PROCESS_ON_DELIVER, deliver, int signal,
		 struct kernel_siginfo *info, struct k_sigaction *action)
{
	struct task_struct *task = tapio_current();
	struct tapio_process_delivery *e;
	unsigned long handler;

	if (!deliveries || !has(signal_mask, signal) || !tapio_wants(&filter, task))
		return;
	e = TAPIO_BEGIN(run, tapio_process_delivery, TAPIO_PROCESS_DELIVERY, TAPIO_NORMAL, signal);
	if (!e)
		return;
	handler = (unsigned long)TAPIO_GET(run, action, sa.sa_handler);
	e->start_ns = tapio_start_boottime(TAPIO_GET(run, task, group_leader));
	e->signal = signal;
	e->code = code_of(run, info);
	e->disposition = handler > TAPIO_DISPOSITION_IGNORE ? TAPIO_DISPOSITION_HANDLER : handler;
	TAPIO_END(run, e);
}
