/* SPDX-License-Identifier: GPL-2.0-only */
/* What any program on Tapio's hooks costs at least: programs that return at once, and, where
 * `bytes` says how many, such that reserve and submit a record without looking at anything or
 * waking anybody. `bytes` and `one_in` are constants once loaded: the verifier takes out what is
 * not asked for. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "floor.abi.h"

const volatile __u32 bytes[FLOOR_HOOKS] = {};
const volatile __u32 one_in[FLOOR_HOOKS] = {};
__u64 entered[FLOOR_HOOKS]; /* where one_in is more than 1; two CPUs may count as one */
__u64 refused[FLOOR_HOOKS];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, FLOOR_RING_BYTES);
} records SEC(".maps");

#define FLOOR(tracepoint, name)                                                      \
	SEC("tp_btf/" #tracepoint) int floor_##name(void *ctx)                       \
	{                                                                            \
		void *record;                                                        \
		if (!bytes[FLOOR_##name])                                            \
			return 0;                                                    \
		if (one_in[FLOOR_##name] > 1 &&                                      \
		    ++entered[FLOOR_##name] % one_in[FLOOR_##name])                  \
			return 0;                                                    \
		record = bpf_ringbuf_reserve(&records, bytes[FLOOR_##name], 0);      \
		if (record)                                                          \
			bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);                \
		else                                                                 \
			__sync_fetch_and_add(&refused[FLOOR_##name], 1);             \
		return 0;                                                            \
	}
FLOOR_EACH(FLOOR)

char LICENSE[] SEC("license") = "GPL";
