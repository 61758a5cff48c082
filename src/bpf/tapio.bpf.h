/* SPDX-License-Identifier: GPL-2.0-only */
/* What every program is made of: the wrapper that keeps the ledger, begin, safe reads, end.
 *
 *   TAPIO_TRACEPOINT(sched_process_exit, HOOK, exit, struct task_struct *task)
 *   {
 *           filter; e = TAPIO_BEGIN(...); if (!e) return; fill; TAPIO_END(run, e);
 *   }
 *
 * No atomic here returns a value: kernels below 5.12 refuse those, and clang emits them unasked
 * when the result of __sync_fetch_and_add() is used. Add, then read again, is all there is. */
#ifndef TAPIO_BPF_H
#define TAPIO_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf/abi.h"
#include "bpf/core_compat.bpf.h"
#include "bpf/read.bpf.h"

#define TAPIO_SLOTS 4
#ifndef TAPIO_SLOT_BYTES /* an object whose events carry text sets it: a power of two */
#define TAPIO_SLOT_BYTES 1024
#endif
#define TAPIO_LOOK_AT_FILL_EVERY 16 /* records */

const volatile struct tapio_settings tapio = {};

/* Replaced before load by maps that user space made: ring buffers, or perf event arrays where
 * there are none. `critical` is one map for all observers, so their order survives. */
struct tapio_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps"), critical SEC(".maps");

/* On a machine with many CPUs, in the place of `events`: a ring for each group of CPUs, so that not
 * all of them wait for one lock. User space makes it, where there is more than one group. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TAPIO_MAX_RINGS);
	__type(key, __u32);
	__array(values, struct tapio_ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAPIO_MAX_HOOKS);
	__type(key, __u32);
	__type(value, struct tapio_ledger_row);
} ledger SEC(".maps");

/* What each class may still send in each slice of time, and behind that what it saved in quiet
 * times. User space fills the slots ahead. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAPIO_LIMITER_SAVED(TAPIO_CLASSES));
	__type(key, __u32);
	__type(value, __s64);
} limiter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tapio_control);
} control SEC(".maps");

struct tapio_share {
	__u64 window;
	__u64 used;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct tapio_share);
} shares SEC(".maps");

/* User space takes entries out; none falls out by itself, so the sum stays true. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct tapio_surplus);
	__type(value, __u64);
} surplus SEC(".maps");

/* Where events are built that cannot be built in a ring: those with a tail, and all of them on the
 * perf path. `end` is where text goes next; it lies in memory because the verifier forgets what it
 * knew of a value there, and so finds the rounds of a loop alike: 187,000 verified instructions
 * became 14,000. */
struct tapio_slot {
	__u64 claims;
	__u64 end;
	__u8 bytes[TAPIO_SLOT_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAPIO_SLOTS);
	__type(key, __u32);
	__type(value, struct tapio_slot);
} scratch SEC(".maps");

/* A CO-RE relocation, not a version: it becomes an immediate, so an old verifier never walks into
 * a helper it does not know. `tapio.perf` is folded where it can matter, from 5.5 on. */
static __always_inline bool tapio_has_ring(void)
{
	return bpf_core_type_exists(struct bpf_ringbuf) && !tapio.perf;
}

static __always_inline bool tapio_enter(struct tapio_run *run)
{
	__u32 hook = run->hook;

	run->row = bpf_map_lookup_elem(&ledger, &hook);
	if (!run->row)
		return false;
	tapio_count(run, run->row->entered);
	run->outcome = &run->row->filtered;
	return true;
}

static __always_inline void tapio_becomes(struct tapio_run *run, enum tapio_outcome outcome)
{
	run->outcome = &run->account->outcome[outcome];
	run->ended = outcome + 1;
}

static __always_inline void tapio_leave(struct tapio_run *run)
{
	if (run->slot)
		tapio_add(run->slot->claims, -1);
	tapio_count(run, *run->outcome);
}

/* A slot is mine only if after adding myself I read 1. Holds under nesting, and also when
 * another task preempts a program in the middle, which a plain nesting level does not. */
static __always_inline struct tapio_slot *tapio_claim(void)
{
#pragma unroll /* 6.12 and older lose a counter whose address is taken: "infinite loop" */
	for (__u32 i = 0; i < TAPIO_SLOTS; i++) {
		__u32 key = i;
		struct tapio_slot *slot = bpf_map_lookup_elem(&scratch, &key);

		if (!slot)
			return NULL;
		tapio_add(slot->claims, 1);
		if (tapio_again(slot->claims) == 1)
			return slot;
		tapio_add(slot->claims, -1);
	}
	return NULL;
}

/* The tgid as the agent knows it; 0 for a task of another pid namespace. */
static __always_inline __u32 tapio_tgid_of_agent(__u32 tgid)
{
	struct bpf_pidns_info info = {};

	if (!tapio.pidns_ino)
		return tgid;
	if (bpf_core_type_exists(struct bpf_pidns_info) && /* 5.7 */
	    !bpf_get_ns_current_pid_tgid(tapio.pidns_dev, tapio.pidns_ino, &info, sizeof(info)))
		return info.tgid;
	return 0;
}

static __always_inline bool tapio_take(__u32 slot)
{
	__s64 *left = bpf_map_lookup_elem(&limiter, &slot);

	if (!left || tapio_again(*left) <= 0)
		return false; /* the usual end of a storm: no atomic, nothing shared is written */
	tapio_add(*left, -1);
	return tapio_again(*left) >= 0;
}

static __always_inline bool tapio_admit(__u32 event_class, __u64 now)
{
	return tapio_take(event_class * TAPIO_LIMITER_SLOTS +
			  (now >> TAPIO_LIMITER_SHIFT) % TAPIO_LIMITER_SLOTS) ||
	       tapio_take(TAPIO_LIMITER_SAVED(event_class));
}

/* False: this cgroup has had its share of critical records, and this event is in `surplus`.
 * Two CPUs may both open a window; then a few more pass, and none is lost. */
static __always_inline bool tapio_fair(struct tapio_run *run, __u64 detail, __u64 now)
{
	__u64 cgroup_id = tapio_current_cgroup_id(run, tapio.cgroup_subsystem);
	struct tapio_surplus key = {.cgroup_id = cgroup_id, .detail = detail};
	struct tapio_share fresh = {.window = now >> TAPIO_FAIRNESS_SHIFT};
	struct tapio_share *share = bpf_map_lookup_elem(&shares, &cgroup_id);
	__u64 zero = 0, *count;

	if (!share || share->window != fresh.window) {
		bpf_map_update_elem(&shares, &cgroup_id, &fresh, BPF_ANY);
		share = bpf_map_lookup_elem(&shares, &cgroup_id);
	}
	if (!share)
		return true;
	tapio_add(share->used, 1);
	if (tapio_again(share->used) <= tapio.fair_share)
		return true;
	count = bpf_map_lookup_elem(&surplus, &key);
	if (!count) {
		bpf_map_update_elem(&surplus, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&surplus, &key);
	}
	tapio_becomes(run, count ? TAPIO_AGGREGATED : TAPIO_MAP_FULL);
	if (count)
		tapio_add(*count, 1);
	return false;
}

static __always_inline bool tapio_may_send(struct tapio_run *run, __u32 event_class, __u32 one_in,
					   __u32 limited, __u64 detail, __u64 now)
{
	if (event_class == TAPIO_STATE)
		return true;
	if (event_class == TAPIO_CRITICAL)
		return tapio_fair(run, detail, now);
	if (run->follows == TAPIO_EMITTED + 1)
		return true;
	tapio_becomes(run, TAPIO_SAMPLED_OUT);
	if (run->follows == TAPIO_SAMPLED_OUT + 1)
		return false;
	if (run->follows != TAPIO_RATE_LIMITED + 1 && one_in > 1 && bpf_get_prandom_u32() % one_in)
		return false;
	tapio_becomes(run, TAPIO_RATE_LIMITED);
	if (run->follows == TAPIO_RATE_LIMITED + 1)
		return false;
	return !(limited >> event_class & 1) || tapio_admit(event_class, now);
}

static __always_inline void *tapio_scratch(struct tapio_run *run)
{
	tapio_becomes(run, TAPIO_NESTED);
	run->slot = tapio_claim();
	return run->slot ? run->slot->bytes : NULL;
}

/* Where `rings` are in use: that of a CPU. NULL cannot be, but the verifier does not know. */
static __always_inline void *tapio_ring_of(__u32 cpu)
{
	__u32 group = cpu >> tapio.ring_shift;

	return bpf_map_lookup_elem(&rings, &group);
}

static __always_inline void *tapio_reserve(struct tapio_run *run, __u32 event_class, __u16 size)
{
	void *ring;

	if (!tapio_has_ring())
		return tapio_scratch(run);
	tapio_becomes(run, TAPIO_RING_FULL);
	if (event_class == TAPIO_CRITICAL)
		return bpf_ringbuf_reserve(&critical, size, 0);
	if (tapio.rings <= 1)
		return bpf_ringbuf_reserve(&events, size, 0);
	ring = tapio_ring_of(bpf_get_smp_processor_id());
	return ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
}

/* NULL: not to be reported; `run` knows why. `detail` is what a surplus of critical events is
 * counted by. The `size` bytes are zeroed. With `tail` the event is built in a slot, and text may
 * follow it there. */
static __always_inline void *tapio_begin(struct tapio_run *run, __u32 event_class, __u64 detail,
					 __u16 kind, __u16 version, __u16 size, __u32 tail)
{
	__u64 id = bpf_get_current_pid_tgid(), now;
	__u32 tgid = tapio_tgid_of_agent(id >> 32), zero = 0, one_in, sequence;
	struct tapio_control *wish = bpf_map_lookup_elem(&control, &zero);
	struct tapio_event_header *h;
	bool canary;

	barrier_var(event_class); /* or clang proves the bound, and the verifier never sees it */
	if (!wish || event_class >= TAPIO_CLASSES ||
	    (tgid && tgid == tapio.self_tgid && !run->bystander))
		return NULL;
	canary = tgid && tgid == wish->canary_tgid;
	run->account = &run->row->classes[event_class];
	one_in = wish->keep_one_in[event_class];
	tapio_count(run, run->account->wanted);
	sequence = tapio_again(run->account->wanted);
	now = run->now ? run->now : bpf_ktime_get_ns();
	if (!canary && !tapio_may_send(run, event_class, one_in, wish->limited, detail, now))
		return NULL;
	h = tail ? tapio_scratch(run) : tapio_reserve(run, event_class, size);
	if (!h)
		return NULL;
	if (tail)
		tapio_again(run->slot->end) = size;
	__builtin_memset(h + 1, 0, size - sizeof(*h));
	*h = (struct tapio_event_header){
		.time_ns = now,
		.cgroup_id = tapio_current_cgroup_id(run, tapio.cgroup_subsystem),
		.tgid = id >> 32,
		.tid = (__u32)id,
		.sequence = sequence,
		.size = size,
		.cpu = bpf_get_smp_processor_id(),
		.kind = kind,
		.version = version,
		.hook = run->hook,
		.event_class = event_class,
		.flags = canary ? TAPIO_CANARY : 0,
	};
	return h;
}

static __always_inline bool tapio_is_half_full(const struct tapio_event_header *h)
{
	void *ring;

	if (tapio.rings <= 1)
		return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >
		       bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
	ring = tapio_ring_of(h->cpu);
	return ring && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >
			       bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 2;
}

/* When a ring that is half full last woke its reader, in units of 2^TAPIO_WAKE_SHIFT ns. CPUs may
 * both find it old; then it is woken twice. */
#define TAPIO_WAKE_SHIFT 18 /* 0.26 ms */
__u64 tapio_woken = 0;

/* Waking a sleeping reader costs more than all else here: only critical events do, and a ring
 * that is half full, which says so once and not with each event until the reader has got there. The
 * rest waits for the reader's next beat. */
static __always_inline __u64 tapio_wake(const struct tapio_event_header *h, __u32 look_every)
{
	__u64 now = h->time_ns >> TAPIO_WAKE_SHIFT;

	if (h->event_class == TAPIO_CRITICAL)
		return BPF_RB_FORCE_WAKEUP;
	if (h->sequence % look_every || now == tapio_again(tapio_woken) || !tapio_is_half_full(h))
		return BPF_RB_NO_WAKEUP;
	tapio_woken = now;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline long tapio_ring_output(struct tapio_event_header *h, __u32 size, __u64 wake)
{
	void *ring;

	if (tapio.rings <= 1)
		return bpf_ringbuf_output(&events, h, size, wake);
	ring = tapio_ring_of(h->cpu);
	return ring ? bpf_ringbuf_output(ring, h, size, wake) : -1;
}

static __always_inline long tapio_perf_output(struct tapio_run *run, struct tapio_event_header *h,
					      __u32 size)
{
	if (h->event_class == TAPIO_CRITICAL)
		return bpf_perf_event_output(run->ctx, &critical, BPF_F_CURRENT_CPU, h, size);
	return bpf_perf_event_output(run->ctx, &events, BPF_F_CURRENT_CPU, h, size);
}

static __always_inline void tapio_end(struct tapio_run *run, struct tapio_event_header *h,
				      __u32 size)
{
	long error = 0;

	if (tapio_has_ring())
		bpf_ringbuf_submit(h, tapio_wake(h, TAPIO_LOOK_AT_FILL_EVERY));
	else
		error = tapio_perf_output(run, h, size);
	tapio_becomes(run, error ? TAPIO_RING_FULL : TAPIO_EMITTED);
}

/* For events that were begun with a tail, which goes out by copy. Never of the critical class. */
static __always_inline void tapio_end_tail(struct tapio_run *run, struct tapio_event_header *h)
{
	__u32 size;
	long error;

	if (!run->slot)
		return;
	size = tapio_again(run->slot->end) & (TAPIO_SLOT_BYTES - 1);
	h->size = size;
	if (tapio_has_ring())
		error = tapio_ring_output(h, size, tapio_wake(h, 1));
	else
		error = bpf_perf_event_output(run->ctx, &events, BPF_F_CURRENT_CPU, h, size);
	tapio_becomes(run, error ? TAPIO_RING_FULL : TAPIO_EMITTED);
}

/* Typed fronts: sizes come from the type, the version from the kind's name. */
#define TAPIO_BEGIN(run, type, kind, event_class, detail)                                  \
	({                                                                                 \
		_Static_assert(sizeof(struct type) <= TAPIO_SLOT_BYTES, "too big");        \
		(struct type *)tapio_begin(run, event_class, detail, kind, kind##_VERSION, \
					   sizeof(struct type), 0);                        \
	})
#define TAPIO_END(run, event) tapio_end(run, &(event)->header, sizeof(*(event)))
#define TAPIO_BEGIN_TAIL(run, type, kind, event_class)                                    \
	((struct type *)tapio_begin(run, event_class, 0, kind, kind##_VERSION,             \
				    sizeof(struct type), 1))
#define TAPIO_END_TAIL(run, event) tapio_end_tail(run, &(event)->header)

/* Whatever the body does, the run is counted once. An index of TAPIO_MAX_HOOKS or more says that it
 * is nobody's business: such a run is not in the books. */
#define TAPIO_RUN(index, is_typed, call)                                               \
	struct tapio_run run = {.ctx = ctx, .hook = (index), .typed = is_typed,         \
				.alone = is_typed && tapio.guarded};                   \
	_Pragma("GCC diagnostic push")                                                 \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")                         \
	if (run.hook < TAPIO_MAX_HOOKS && tapio_enter(&run)) {                         \
		call;                                                                  \
		tapio_leave(&run);                                                     \
	}                                                                              \
	_Pragma("GCC diagnostic pop")                                                  \
	return 0

/* Programs whose context is an array of arguments, and those whose context is registers. */
#define TAPIO_PROG(section, index, typed, name, body, args...)                         \
	SEC(section) int name(unsigned long long *ctx)                                 \
	{                                                                              \
		TAPIO_RUN(index, typed, body(&run, ___bpf_ctx_cast(args)));            \
	}
#define TAPIO_REGS_PROG(section, index, name, call)                                    \
	SEC(section) int name(struct pt_regs *ctx)                                     \
	{                                                                              \
		TAPIO_RUN(index, 0, call);                                             \
	}

/* The way to write a program on a tracepoint; arguments as its prototype has them. One body, two
 * programs, of which one is loaded: <name>_btf (5.11, for the current task's type is known from
 * then on) and <name>_raw (4.17, and where typed programs are refused). */
#define TAPIO_TRACEPOINT(tracepoint, index, name, args...)                             \
	static __always_inline void name(struct tapio_run *run, void *ctx, ##args);      \
	TAPIO_PROG("tp_btf/" #tracepoint, index, 1, name##_btf, name, ##args)          \
	TAPIO_PROG("raw_tp/" #tracepoint, index, 0, name##_raw, name, ##args)          \
	static __always_inline void name(struct tapio_run *run, void *ctx, ##args)

/* The same where only a typed program will do: <name>_btf. */
#define TAPIO_TYPED_TRACEPOINT(tracepoint, index, name, args...)                       \
	static __always_inline void name(struct tapio_run *run, void *ctx, ##args);      \
	TAPIO_PROG("tp_btf/" #tracepoint, index, 1, name##_btf, name, ##args)          \
	static __always_inline void name(struct tapio_run *run, void *ctx, ##args)

/* The ways to write one on a kernel function, which may be a macro that stands for its name:
 * <name>_fentry and, with the arguments and then the result, <name>_fexit (5.5; arm64: 6.0);
 * <name>_kprobe, and with nothing but the result <name>_kretprobe. */
#define TAPIO_AT(kind, function) TAPIO_AT_(kind, function)
#define TAPIO_AT_(kind, function) kind "/" #function
#define TAPIO_FENTRY(function, index, name, args...)                                      \
	static __always_inline void name##_at_fentry(struct tapio_run *run, void *ctx, ##args); \
	TAPIO_PROG(TAPIO_AT("fentry", function), index, 0, name##_fentry,                 \
		   name##_at_fentry, ##args)                                              \
	static __always_inline void name##_at_fentry(struct tapio_run *run, void *ctx, ##args)
#define TAPIO_FEXIT(function, index, name, args...)                                       \
	static __always_inline void name##_at_fexit(struct tapio_run *run, void *ctx, ##args); \
	TAPIO_PROG(TAPIO_AT("fexit", function), index, 0, name##_fexit,                   \
		   name##_at_fexit, ##args)                                               \
	static __always_inline void name##_at_fexit(struct tapio_run *run, void *ctx, ##args)
#define TAPIO_KPROBE(function, index, name, args...)                                      \
	static __always_inline void name##_at_kprobe(struct tapio_run *run, void *ctx, ##args); \
	TAPIO_REGS_PROG(TAPIO_AT("kprobe", function), index, name##_kprobe,               \
			name##_at_kprobe(&run, ___bpf_kprobe_args(args)))                 \
	static __always_inline void name##_at_kprobe(struct tapio_run *run, void *ctx, ##args)
#define TAPIO_KRETPROBE(function, index, name, result)                                    \
	static __always_inline void name##_at_kretprobe(struct tapio_run *run, void *ctx, result); \
	TAPIO_REGS_PROG(TAPIO_AT("kretprobe", function), index, name##_kretprobe,         \
			name##_at_kretprobe(&run, ___bpf_kretprobe_args(result)))         \
	static __always_inline void name##_at_kretprobe(struct tapio_run *run, void *ctx, result)

/* And those on a function of a library or program, as libbpf finds it (libc.so.6:getaddrinfo), in
 * every process that has the file mapped: <name>_uprobe, <name>_uretprobe. */
#define TAPIO_UPROBE(function, index, name, args...)                                      \
	static __always_inline void name##_at_uprobe(struct tapio_run *run, void *ctx, ##args); \
	TAPIO_REGS_PROG(TAPIO_AT("uprobe", function), index, name##_uprobe,               \
			name##_at_uprobe(&run, ___bpf_kprobe_args(args)))                 \
	static __always_inline void name##_at_uprobe(struct tapio_run *run, void *ctx, ##args)
#define TAPIO_URETPROBE(function, index, name, result)                                    \
	static __always_inline void name##_at_uretprobe(struct tapio_run *run, void *ctx, result); \
	TAPIO_REGS_PROG(TAPIO_AT("uretprobe", function), index, name##_uretprobe,         \
			name##_at_uretprobe(&run, ___bpf_kretprobe_args(result)))         \
	static __always_inline void name##_at_uretprobe(struct tapio_run *run, void *ctx, result)

char LICENSE[] SEC("license") = "GPL";
#endif
