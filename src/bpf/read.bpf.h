/* SPDX-License-Identifier: GPL-2.0-only */
/* How a program reads the memory of the kernel and of the current task. */
#ifndef TAPIO_READ_BPF_H
#define TAPIO_READ_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "bpf/abi.h"

#define tapio_add(counter, n) ((void)__sync_fetch_and_add(&(counter), n))
#define tapio_again(counter) (*(volatile typeof(counter) *)&(counter))

/* One run of a program. Gone once all is inlined. */
struct tapio_run {
	void *ctx;
	struct tapio_ledger_row *row;
	struct tapio_ledger_class *account; /* of the event's class */
	__u64 *outcome;                     /* the one counter this run will end in */
	__u64 ended;                        /* which one, plus one; 0: filtered, so far */
	struct tapio_slot *slot;
	__u64 hook;
	/* Set before TAPIO_BEGIN where that time is known already: bpf_ktime_get_ns(). */
	__u64 now;
	/* Set before TAPIO_BEGIN where the event belongs to an earlier one: `ended` of that. If it
	 * was sent, or a limit held it back, so it is with this one, and no limit is asked. 0: it
	 * belongs to none. */
	__u64 follows;
	/* Set before TAPIO_BEGIN where the current task only happened to run: for what an interrupt
	 * does, or the kernel by itself. Otherwise it is who acts, and is told nothing of if it is
	 * the agent. */
	__u64 bystander;
	/* Whether the verifier knows the types of the arguments, and of all that hangs on them: a
	 * constant of the program. Then they are read by plain loads, else by a helper. */
	__u64 typed;
	/* Whether nothing else writes to its hook's row of the ledger meanwhile, on this CPU: the
	 * kernel runs no program within itself. */
	__u64 alone;
};

/* One more in a counter of `row`. An atomic takes some 20 cycles, and each event had three. */
#define tapio_count(run, counter)                                                   \
	({                                                                          \
		if ((run)->alone)                                                   \
			tapio_again(counter) += 1;                                  \
		else                                                                \
			tapio_add(counter, 1);                                      \
	})

#define tapio_unreadable(run) tapio_add((run)->row->read_faults, 1)

/* A read that fails leaves zeroes and is counted; it never aborts the event. */
#define TAPIO_READ(run, dst, src)                                                   \
	({                                                                          \
		const void *from_ = (src);                                          \
		if (!from_ || bpf_probe_read_kernel(&(dst), sizeof(dst), from_))    \
			tapio_unreadable(run);                                      \
	})

/* The same of the current task's memory. A page that is not there is a failed read. */
#define TAPIO_READ_USER(run, dst, address)                                          \
	({                                                                          \
		const void *from_ = (const void *)(address);                        \
		if (!from_ || bpf_probe_read_user(&(dst), sizeof(dst), from_))      \
			tapio_unreadable(run);                                      \
	})

/* run, pointer, members...: what pointer->a->b->c is, by CO-RE and a helper; 0 and counted when
 * unreadable. For what the verifier has no type of, as after a cast or where arithmetic led. The
 * cast takes `const` off the type: a constant 0 would be folded, whatever the read brings. */
#define TAPIO_PROBE(run, src, a, ...)                                               \
	({                                                                          \
		typeof((___type((src), a, ##__VA_ARGS__))0) got_ = 0;               \
		if (!(src) || BPF_CORE_READ_INTO(&got_, (src), a, ##__VA_ARGS__))   \
			tapio_unreadable(run);                                      \
		got_;                                                               \
	})

/* One load for each member of a chain, of which none but the last may be NULL. A pointer that went
 * bad reads as 0: the kernel handles that fault itself, and nobody is told. One macro for each
 * length, for a macro does not expand within itself. */
#define tapio_walk1(run, got, src, a) ((got) = (src)->a)
#define tapio_walk2(run, got, src, a, ...)                                          \
	({                                                                          \
		typeof((src)->a) at2_ = (src)->a;                                   \
		if (at2_)                                                           \
			tapio_walk1(run, got, at2_, __VA_ARGS__);                   \
		else                                                                \
			tapio_unreadable(run);                                      \
	})
#define tapio_walk3(run, got, src, a, ...)                                          \
	({                                                                          \
		typeof((src)->a) at3_ = (src)->a;                                   \
		if (at3_)                                                           \
			tapio_walk2(run, got, at3_, __VA_ARGS__);                   \
		else                                                                \
			tapio_unreadable(run);                                      \
	})
#define tapio_walk4(run, got, src, a, ...)                                          \
	({                                                                          \
		typeof((src)->a) at4_ = (src)->a;                                   \
		if (at4_)                                                           \
			tapio_walk3(run, got, at4_, __VA_ARGS__);                   \
		else                                                                \
			tapio_unreadable(run);                                      \
	})

/* The same as TAPIO_PROBE() of what is an argument of the program, the current task of
 * tapio_current(run), or was got from them by this: at most four members. */
#define TAPIO_GET(run, src, a, ...)                                                 \
	({                                                                          \
		typeof((___type((src), a, ##__VA_ARGS__))0) got_ = 0;               \
		if (!(run)->typed)                                                  \
			got_ = TAPIO_PROBE(run, src, a, ##__VA_ARGS__);             \
		else if (src)                                                       \
			___apply(tapio_walk, ___narg(a, ##__VA_ARGS__))             \
				(run, got_, (src), a, ##__VA_ARGS__);               \
		else                                                                \
			tapio_unreadable(run);                                      \
		got_;                                                               \
	})

/* memcpy() would load each byte for itself, for it knows of no alignment. On the stack, `to` is
 * aligned to 8 bytes: there the verifier insists. */
static __always_inline void tapio_copy_words(void *to, const void *from, __u32 bytes)
{
#pragma unroll
	for (__u32 i = 0; i < bytes / sizeof(__u64); i++)
		((__u64 *)to)[i] = ((const __u64 *)from)[i];
	if (bytes % sizeof(__u64))
		((__u32 *)to)[bytes / sizeof(__u32) - 1] =
			((const __u32 *)from)[bytes / sizeof(__u32) - 1];
}

#define tapio_copy1(run, dst, src, a) tapio_copy_words(&(dst), &(src)->a, sizeof(dst))
#define tapio_copy2(run, dst, src, a, b)                                            \
	({                                                                          \
		typeof((src)->a) at_ = (src)->a;                                    \
		if (at_)                                                            \
			tapio_copy1(run, dst, at_, b);                              \
		else                                                                \
			tapio_unreadable(run);                                      \
	})

/* Embedded structs and arrays of whole words: a copy of pointer->a, or of pointer->a->b. */
#define TAPIO_COPY(run, dst, src, a, ...)                                           \
	({                                                                          \
		_Static_assert(sizeof(dst) % sizeof(__u32) == 0, "no whole words"); \
		if (!(run)->typed) {                                                \
			if (!(src) || BPF_CORE_READ_INTO(&(dst), (src), a, ##__VA_ARGS__)) \
				tapio_unreadable(run);                              \
		} else if (src) {                                                   \
			___apply(tapio_copy, ___narg(a, ##__VA_ARGS__))             \
				(run, dst, (src), a, ##__VA_ARGS__);                \
		} else {                                                            \
			tapio_unreadable(run);                                      \
		}                                                                   \
	})

#endif
