/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls by the registers of the task that made them. Those of 32-bit tasks have other
 * numbers; they are told apart, to be left alone. */
#ifndef TAPIO_SYSCALL_BPF_H
#define TAPIO_SYSCALL_BPF_H

#include "bpf/tapio.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define TAPIO_EXECVE __x64_sys_execve
#define TAPIO_NR_PTRACE 101
#define TAPIO_NR_EXECVE 59
#define TAPIO_NR_EXECVEAT 322
#define TAPIO_NR_UNSHARE 272
#define TAPIO_NR_SETNS 308
#define TAPIO_NR_CAPSET 126
#define TAPIO_NR_SETUID 105
#define TAPIO_NR_SETGID 106
#define TAPIO_NR_SETREUID 113
#define TAPIO_NR_SETREGID 114
#define TAPIO_NR_SETRESUID 117
#define TAPIO_NR_SETRESGID 119
#define TAPIO_TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h */
#elif defined(__TARGET_ARCH_arm64)
#define TAPIO_EXECVE __arm64_sys_execve
#define TAPIO_NR_PTRACE 117
#define TAPIO_NR_EXECVE 221
#define TAPIO_NR_EXECVEAT 281
#define TAPIO_NR_UNSHARE 97
#define TAPIO_NR_SETNS 268
#define TAPIO_NR_CAPSET 91
#define TAPIO_NR_SETUID 146
#define TAPIO_NR_SETGID 144
#define TAPIO_NR_SETREUID 145
#define TAPIO_NR_SETREGID 143
#define TAPIO_NR_SETRESUID 147
#define TAPIO_NR_SETRESGID 149
#define TAPIO_TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */
#endif

static __always_inline bool tapio_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread_info.status) & TAPIO_TS_COMPAT;
#elif defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(task, thread_info.flags) >> TAPIO_TIF_32BIT & 1;
#endif
}

/* The number of the call that `user` are the registers of; -1: unreadable. */
static __always_inline long tapio_syscall_number(struct pt_regs *user)
{
	long number = -1;

#if defined(__TARGET_ARCH_x86)
	BPF_CORE_READ_INTO(&number, user, orig_ax);
#elif defined(__TARGET_ARCH_arm64)
	number = BPF_CORE_READ(user, syscallno);
#endif
	return number;
}

/* Its first argument, also when it has returned. */
static __always_inline __u64 tapio_syscall_argument(struct pt_regs *user)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(user, di);
#elif defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(user, orig_x0);
#endif
}

#endif
