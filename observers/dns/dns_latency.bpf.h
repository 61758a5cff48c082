/* SPDX-License-Identifier: GPL-2.0-only */
/* How long answers over UDP take, counted for every lookup of a client here, whatever becomes of
 * its events. */
#ifndef TAPIO_DNS_LATENCY_BPF_H
#define TAPIO_DNS_LATENCY_BPF_H

#include "bpf/packet.bpf.h"
#include "dns_latency.abi.h"

const volatile __u32 latency_counts = 0;
const volatile __u8 no_latency[sizeof(struct tapio_dns_latency)] = {}; /* too big for the stack */

/* User space takes entries out that have long been still; none falls out by itself. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TAPIO_DNS_LATENCIES);
	__type(key, struct tapio_dns_latency_key);
	__type(value, struct tapio_dns_latency);
} latency SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tapio_dns_latency);
} latency_other SEC(".maps");

static __always_inline struct tapio_dns_latency *
latency_of(const struct tapio_dns_latency_key *key)
{
	struct tapio_dns_latency *found = bpf_map_lookup_elem(&latency, key);
	__u32 only = 0;

	if (found)
		return found;
	bpf_map_update_elem(&latency, key, (const void *)no_latency, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&latency, key);
	return found ? found : bpf_map_lookup_elem(&latency_other, &only);
}

static __always_inline void count_latency(const struct tapio_datagram *answer, __u64 cgroup_id,
					  __u64 took)
{
	struct tapio_dns_latency_key whose = {.cgroup_id = cgroup_id,
					      .server_port = answer->source_port,
					      .ip_version = answer->ip.ip_version};
	__u64 bucket = tapio_dns_bucket(took);
	struct tapio_dns_latency *to;

	if (!latency_counts)
		return;
	__builtin_memcpy(whose.server, answer->ip.source, sizeof(whose.server));
	to = latency_of(&whose);
	barrier_var(bucket); /* or clang proves the bound, and the verifier never sees it */
	if (!to || bucket >= TAPIO_DNS_BUCKETS)
		return;
	tapio_add(to->total_ns, took);
	tapio_add(to->buckets[bucket], 1);
}

#endif
