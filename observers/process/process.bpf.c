// SPDX-License-Identifier: GPL-2.0-only
#define TAPIO_SLOT_BYTES 4096
#include "bpf/tapio.bpf.h"
#include "bpf/memory.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/text.bpf.h"
#include "process.abi.h"
#include "process_multiply.bpf.h"

#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_TIMER -2
#define SIGKILL 9
#define SIGSTOP 19
#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

/* Bit n-1 stands for signal n. */
const volatile __u64 signal_mask = ~0ULL;
const volatile struct tapio_filter filter = {};
const volatile __u64 page_bytes = 4096;
const volatile __u32 deliveries = 1; /* 0: the taking of signals is not reported */
const volatile __u32 by_syscalls;    /* bit per hook: the program on system calls serves it */

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
static __always_inline __u16 unless_wanted(struct tapio_run *run, struct task_struct *task)
{
	return tapio_wants(run, &filter, task) ? 0 : TAPIO_STATE_ONLY;
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
	e->start_ns = tapio_start_boottime(run, child);
	e->parent_start_ns = tapio_start_boottime(run, parent);
	e->cgroup_id = tapio_cgroup_id(run, child, tapio.cgroup_subsystem);
	e->tgid = tgid;
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	tapio_credentials(run, child, &e->credentials);
	e->own_user_namespace = TAPIO_GET(run, child, cred, user_ns) !=
				TAPIO_GET(run, caller, cred, user_ns);
	tapio_virtual_pid(run, child, &e->virtual_pid, &e->pid_namespace);
	TAPIO_COPY(run, e->comm, child, comm);
	e->header.flags |= unless_wanted(run, child);
	TAPIO_END(run, e);
}

static __always_inline void about_program(struct tapio_run *run, struct tapio_process_exec *e,
					  struct task_struct *task, struct linux_binprm *program)
{
	struct mm_struct *mm = TAPIO_GET(run, task, mm);
	struct fs_struct *fs = TAPIO_GET(run, task, fs);
	struct file *file = TAPIO_GET(run, mm, exe_file);
	__u64 args = TAPIO_GET(run, mm, arg_start);

	e->file_mode = TAPIO_GET(run, file, f_inode, i_mode);
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

	forget_birth(run, task);
	if (!e)
		return;
	parent = TAPIO_GET(run, task, real_parent, group_leader);
	e->start_ns = tapio_start_boottime(run, task); /* exec made this thread the leader */
	e->parent_start_ns = tapio_start_boottime(run, parent);
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	tapio_virtual_pid(run, task, &e->virtual_pid, &e->pid_namespace);
	e->mount_namespace = TAPIO_GET(run, task, nsproxy, mnt_ns, ns.inum);
	tapio_credentials(run, task, &e->credentials);
	TAPIO_COPY(run, e->comm, task, comm);
	e->header.flags |= unless_wanted(run, task);
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

	e->start_ns = tapio_start_boottime(run, leader);
	e->parent_start_ns = tapio_start_boottime(run, parent);
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	e->cpu_ns = TAPIO_GET(run, task, signal, sum_sched_runtime) +
		    TAPIO_GET(run, task, se.sum_exec_runtime);
	if (leader != task)
		e->cpu_ns += TAPIO_GET(run, leader, se.sum_exec_runtime);
	e->peak_rss = TAPIO_GET(run, task, signal, maxrss) * page_bytes;
	e->status = status;
	tapio_credentials(run, task, &e->credentials);
	TAPIO_COPY(run, e->comm, leader, comm);
	e->header.flags |= unless_wanted(run, task);
	TAPIO_END(run, e);
}

TAPIO_TRACEPOINT(sched_process_exit, TAPIO_PROCESS_ON_EXIT, exit, struct task_struct *task)
{
	struct tapio_process_exit *e;

	if (!is_last_thread(run, task))
		return;
	forget_birth(run, task);
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
	if (!(status & 0x7f) || !tapio_wants(run, &filter, task))
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
		return TAPIO_PROBE(run, info, si_code);
	case TAPIO_SIGINFO_PRIV:
		return SI_KERNEL;
	default:
		return SI_USER;
	}
}

/* A timer's signal comes with an interrupt; what the kernel sends by itself is not by who runs. */
static __always_inline bool is_sent_by_current(int code)
{
	return code <= SI_USER && code != SI_TIMER;
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
	handlers = TAPIO_PROBE(run, target, sighand); /* no typed pointer: it is indexed */
	if (!handlers)
		return false;
	action = __builtin_preserve_access_index(&handlers->action[0]);
	action = (void *)action + (signal - 1) * bpf_core_type_size(struct k_sigaction);
	TAPIO_READ(run, handler, __builtin_preserve_access_index(&action->sa.sa_handler));
	return !handler; /* SIG_DFL */
}

/* Victims of the kernel between the SIGKILL and mark_victim, some 40 us, by thread: only the first
 * has the task at hand on every kernel. Beyond the bound the least used is forgotten, and its OOM
 * kill not told. An OOM kill holds oom_lock, so more than one at a time is due to other SIGKILLs of
 * the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct tapio_process_victim);
} victims SEC(".maps");

/* Where an entry of `victims` is made: too big for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tapio_process_victim);
} draft SEC(".maps");

#define VICTIM_KEPT_NS 100000000ULL /* no mark comes so late: this SIGKILL was another one */

static __always_inline void remember_victim(struct tapio_run *run, struct task_struct *target)
{
	struct task_struct *leader = TAPIO_GET(run, target, group_leader);
	struct mm_struct *mm = TAPIO_GET(run, target, mm);
	__u32 zero = 0, tid = TAPIO_GET(run, target, pid);
	struct tapio_process_victim *v = bpf_map_lookup_elem(&draft, &zero);

	if (!v || !mm)
		return;
	__builtin_memset(v, 0, sizeof(*v));
	v->time_ns = bpf_ktime_get_ns();
	v->start_ns = tapio_start_boottime(run, leader);
	v->cgroup_id = tapio_cgroup_id(run, target, tapio.cgroup_subsystem);
	v->anon_rss = tapio_mm_pages(mm, TAPIO_MM_ANON) * page_bytes;
	v->file_rss = tapio_mm_pages(mm, TAPIO_MM_FILE) * page_bytes;
	v->shmem_rss = tapio_mm_pages(mm, TAPIO_MM_SHMEM) * page_bytes;
	v->swap = tapio_mm_pages(mm, TAPIO_MM_SWAP) * page_bytes;
	v->tgid = TAPIO_GET(run, target, tgid);
	v->score_adj = TAPIO_GET(run, target, signal, oom_score_adj);
	v->wanted = tapio_wants(run, &filter, target);
	v->level_count = tapio_memory_levels(run, target, page_bytes, v->levels);
	TAPIO_COPY(run, v->comm, leader, comm);
	bpf_map_update_elem(&victims, &tid, v, BPF_ANY);
}

/* __oom_kill_process() sends SIGKILL with SEND_SIG_PRIV and then marks the victim. One that is
 * marked without it is about to end anyway: that is no kill. */
TAPIO_TRACEPOINT(mark_victim, TAPIO_PROCESS_ON_OOM, oom, void *marked)
{
	struct task_struct *running = tapio_current(run), *leader;
	__u32 tid = tapio_victim_tid(marked);
	struct tapio_process_victim *v = bpf_map_lookup_elem(&victims, &tid);
	struct tapio_process_oom *e;

	if (!v || bpf_ktime_get_ns() - v->time_ns > VICTIM_KEPT_NS ||
	    (!v->wanted && !tapio_wants(run, &filter, running)))
		return;
	run->bystander = true; /* whose allocation it was, is not who kills */
	e = TAPIO_BEGIN(run, tapio_process_oom, TAPIO_PROCESS_OOM, TAPIO_CRITICAL, SIGKILL);
	if (!e)
		return;
	leader = TAPIO_GET(run, running, group_leader);
	e->running_start_ns = tapio_start_boottime(run, leader);
	TAPIO_COPY(run, e->running_comm, leader, comm);
	__builtin_memcpy(&e->victim, v, sizeof(e->victim));
	TAPIO_END(run, e);
	bpf_map_delete_elem(&victims, &tid);
}

/* Noise would use up what other signals may send; so would deliveries, of which there is one for
 * each thread of a process that is killed. */
static __always_inline enum tapio_class class_of(int signal)
{
	return has(TAPIO_PROCESS_NOISE, signal) ? TAPIO_BULK : TAPIO_NORMAL;
}

TAPIO_TRACEPOINT(signal_generate, TAPIO_PROCESS_ON_GENERATE, generate, int signal,
		 struct kernel_siginfo *info, struct task_struct *target, int group, int result)
{
	struct task_struct *running = tapio_current(run), *leader, *sender;
	struct tapio_process_signal *e;
	bool lethal, ends;
	int code;

	/* Before any filter and limit: mark_victim has nothing else to go by. */
	if (signal == SIGKILL && siginfo_of(info) == TAPIO_SIGINFO_PRIV)
		remember_victim(run, target);
	if (!has(signal_mask, signal) ||
	    (!tapio_wants(run, &filter, target) && !tapio_wants(run, &filter, running)))
		return;
	lethal = is_lethal(run, target, signal);
	ends = !result && (lethal || has(ENDING, signal));
	code = code_of(run, info);
	run->bystander = !is_sent_by_current(code);
	e = TAPIO_BEGIN(run, tapio_process_signal, TAPIO_PROCESS_SIGNAL,
			ends ? TAPIO_CRITICAL : class_of(signal), signal);
	if (!e)
		return;
	leader = TAPIO_GET(run, target, group_leader);
	sender = TAPIO_GET(run, running, group_leader);
	e->running_start_ns = tapio_start_boottime(run, sender);
	e->target_start_ns = tapio_start_boottime(run, leader);
	e->target_cgroup_id = tapio_cgroup_id(run, target, tapio.cgroup_subsystem);
	e->target_tgid = TAPIO_GET(run, target, tgid);
	e->target_tid = TAPIO_GET(run, target, pid);
	e->signal = signal;
	e->code = code;
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
	struct task_struct *task = tapio_current(run);
	struct tapio_process_delivery *e;
	unsigned long handler;

	if (!deliveries || !has(signal_mask, signal) || !tapio_wants(run, &filter, task))
		return;
	e = TAPIO_BEGIN(run, tapio_process_delivery, TAPIO_PROCESS_DELIVERY, TAPIO_BULK, signal);
	if (!e)
		return;
	handler = (unsigned long)TAPIO_GET(run, action, sa.sa_handler);
	e->start_ns = tapio_start_boottime(run, TAPIO_GET(run, task, group_leader));
	e->signal = signal;
	e->code = code_of(run, info);
	e->disposition = handler > TAPIO_DISPOSITION_IGNORE ? TAPIO_DISPOSITION_HANDLER : handler;
	TAPIO_END(run, e);
}

static __always_inline void credentials(struct tapio_run *run, struct task_struct *task,
					const struct tapio_credentials *now)
{
	struct tapio_process_credentials *e;
	struct task_struct *leader;

	if (!tapio_wants(run, &filter, task))
		return;
	e = TAPIO_BEGIN(run, tapio_process_credentials, TAPIO_PROCESS_CREDENTIALS, TAPIO_NORMAL, 0);
	if (!e)
		return;
	leader = TAPIO_GET(run, task, group_leader);
	e->start_ns = tapio_start_boottime(run, leader);
	e->credentials = *now;
	TAPIO_COPY(run, e->comm, leader, comm);
	TAPIO_END(run, e);
}

static __always_inline bool same_credentials(const struct tapio_credentials *a,
					     const struct tapio_credentials *b)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

#pragma unroll
	for (__u32 i = 0; i < sizeof(*a) / sizeof(*x); i++)
		if (x[i] != y[i])
			return false;
	return true;
}

/* Many commits change nothing that is told here: groups, keys. An exec's is told by `exec`. */
static __always_inline void commit(struct tapio_run *run, const struct cred *new)
{
	struct task_struct *task = tapio_current(run);
	struct tapio_credentials before = {}, now = {};

	if (tapio_in_execve(task))
		return;
	tapio_credentials(run, task, &before);
	tapio_read_cred(run, new, &now);
	if (!same_credentials(&before, &now))
		credentials(run, task, &now);
}

TAPIO_FENTRY(commit_creds, TAPIO_PROCESS_ON_CREDENTIALS, credentials, const struct cred *new)
{
	commit(run, new);
}

TAPIO_KPROBE(commit_creds, TAPIO_PROCESS_ON_CREDENTIALS, credentials, const struct cred *new)
{
	commit(run, new);
}

static __always_inline void trace(struct tapio_run *run, struct task_struct *tracer,
				  struct task_struct *target, enum tapio_process_request request)
{
	struct tapio_process_trace *e;

	if (!tapio_wants(run, &filter, target) && !tapio_wants(run, &filter, tracer))
		return;
	e = TAPIO_BEGIN(run, tapio_process_trace, TAPIO_PROCESS_TRACE, TAPIO_NORMAL, 0);
	if (!e)
		return;
	tracer = TAPIO_GET(run, tracer, group_leader);
	target = TAPIO_GET(run, target, group_leader);
	e->tracer_start_ns = tapio_start_boottime(run, tracer);
	e->tracer_cgroup_id = tapio_cgroup_id(run, tracer, tapio.cgroup_subsystem);
	e->tracer_tgid = TAPIO_GET(run, tracer, tgid);
	e->target_start_ns = tapio_start_boottime(run, target);
	e->target_cgroup_id = tapio_cgroup_id(run, target, tapio.cgroup_subsystem);
	e->target_tgid = TAPIO_GET(run, target, tgid);
	e->request = request;
	TAPIO_COPY(run, e->tracer_comm, tracer, comm);
	TAPIO_COPY(run, e->target_comm, target, comm);
	TAPIO_END(run, e);
}

#define PTRACE_MODE_ATTACH 2 /* include/linux/ptrace.h; else it is only to be read */

TAPIO_FEXIT(security_ptrace_access_check, TAPIO_PROCESS_ON_TRACE, trace,
	    struct task_struct *target, unsigned int mode, int refused)
{
	if (mode & PTRACE_MODE_ATTACH && !refused)
		trace(run, tapio_current(run), target, TAPIO_REQUEST_ACCESS);
}

/* Before security modules have had their say. */
TAPIO_KPROBE(security_ptrace_access_check, TAPIO_PROCESS_ON_TRACE, trace,
	     struct task_struct *target, unsigned int mode)
{
	if (mode & PTRACE_MODE_ATTACH)
		trace(run, tapio_current(run), target, TAPIO_REQUEST_ACCESS);
}

TAPIO_FEXIT(security_ptrace_traceme, TAPIO_PROCESS_ON_TRACEME, traceme, struct task_struct *tracer,
	    int refused)
{
	if (!refused)
		trace(run, tracer, tapio_current(run), TAPIO_REQUEST_TRACEME);
}

TAPIO_KPROBE(security_ptrace_traceme, TAPIO_PROCESS_ON_TRACEME, traceme, struct task_struct *tracer)
{
	trace(run, tracer, tapio_current(run), TAPIO_REQUEST_TRACEME);
}

/* `user` are the registers of the call; NULL: not at hand. */
static __always_inline void exec_failed(struct tapio_run *run, struct pt_regs *user, long result)
{
	struct task_struct *task = tapio_current(run), *leader, *parent;
	struct tapio_process_exec_failed *e;

	if (result >= 0 || !tapio_wants(run, &filter, task))
		return;
	e = TAPIO_BEGIN_TAIL(run, tapio_process_exec_failed, TAPIO_PROCESS_EXEC_FAILED,
			     TAPIO_NORMAL);
	if (!e)
		return;
	leader = TAPIO_GET(run, task, group_leader);
	parent = TAPIO_GET(run, leader, real_parent, group_leader);
	e->start_ns = tapio_start_boottime(run, leader);
	e->parent_start_ns = tapio_start_boottime(run, parent);
	e->parent_tgid = TAPIO_GET(run, parent, tgid);
	e->error = -result;
	TAPIO_COPY(run, e->comm, leader, comm);
	if (user)
		tapio_append_user_string(run, &e->filename, tapio_syscall_argument(user),
					 TAPIO_PROCESS_FILENAME_BYTES);
	TAPIO_END_TAIL(run, e);
}

TAPIO_FEXIT(TAPIO_EXECVE, TAPIO_PROCESS_ON_EXEC_FAILED, exec_failed, struct pt_regs *user,
	    long result)
{
	exec_failed(run, user, result);
}

TAPIO_KRETPROBE(TAPIO_EXECVE, TAPIO_PROCESS_ON_EXEC_FAILED, exec_failed, long result)
{
	exec_failed(run, NULL, result);
}

#define PTRACE_TRACEME 0
#define PTRACE_ATTACH 16
#define PTRACE_SEIZE 0x4206

static __always_inline __u32 hook_of_ptrace(__u64 request)
{
	if (request == PTRACE_TRACEME)
		return TAPIO_PROCESS_ON_TRACEME;
	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		return TAPIO_PROCESS_ON_TRACE;
	return TAPIO_MAX_HOOKS;
}

/* Whose business the end of a system call is; TAPIO_MAX_HOOKS: nobody's. */
static __always_inline __u32 hook_of_syscall(struct pt_regs *user)
{
	__u32 hook = TAPIO_MAX_HOOKS;

	switch (tapio_syscall_number(user)) {
	case TAPIO_NR_SETUID:
	case TAPIO_NR_SETGID:
	case TAPIO_NR_SETREUID:
	case TAPIO_NR_SETREGID:
	case TAPIO_NR_SETRESUID:
	case TAPIO_NR_SETRESGID:
	case TAPIO_NR_CAPSET:
	case TAPIO_NR_SETNS:
	case TAPIO_NR_UNSHARE:
		hook = TAPIO_PROCESS_ON_CREDENTIALS;
		break;
	case TAPIO_NR_PTRACE:
		hook = hook_of_ptrace(tapio_syscall_argument(user));
		break;
	case TAPIO_NR_EXECVE:
	case TAPIO_NR_EXECVEAT:
		hook = TAPIO_PROCESS_ON_EXEC_FAILED;
		break;
	}
	if (hook >= TAPIO_MAX_HOOKS || !(by_syscalls >> hook & 1) ||
	    tapio_is_compat((void *)bpf_get_current_task()))
		return TAPIO_MAX_HOOKS;
	return hook;
}

/* ptrace_link() puts the newest at the head of the list. */
static __always_inline struct task_struct *newest_tracee(struct tapio_run *run,
							 struct task_struct *tracer)
{
	struct list_head *head = __builtin_preserve_access_index(&tracer->ptraced);
	struct list_head *newest = TAPIO_GET(run, tracer, ptraced.next);

	if (!newest || newest == head) /* gone in the meantime */
		return NULL;
	return (void *)newest - bpf_core_field_offset(struct task_struct, ptrace_entry);
}

static __always_inline void traced(struct tapio_run *run, struct task_struct *task)
{
	struct task_struct *tracee;

	if (run->hook == TAPIO_PROCESS_ON_TRACEME) {
		trace(run, TAPIO_GET(run, task, parent), task, TAPIO_REQUEST_TRACEME);
		return;
	}
	tracee = newest_tracee(run, task);
	if (tracee)
		trace(run, task, tracee, TAPIO_REQUEST_ATTACH);
}

/* Runs at the end of every system call of the machine: only where it is asked for. */
TAPIO_TRACEPOINT(sys_exit, hook_of_syscall((void *)ctx[0]), syscalls, struct pt_regs *user,
		 long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct tapio_credentials now = {};

	run->typed = 0; /* a tracee is found through a list */
	if (run->hook == TAPIO_PROCESS_ON_EXEC_FAILED) {
		/* execveat has the file name in its second argument, often an empty one */
		exec_failed(run, tapio_syscall_number(user) == TAPIO_NR_EXECVE ? user : NULL,
			    result);
		return;
	}
	if (result)
		return;
	if (run->hook == TAPIO_PROCESS_ON_CREDENTIALS) {
		tapio_credentials(run, task, &now);
		credentials(run, task, &now);
		return;
	}
	traced(run, task);
}
