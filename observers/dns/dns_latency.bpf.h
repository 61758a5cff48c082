/* SPDX-License-Identifier: GPL-2.0-only */
/* How long answers over UDP take, counted for every lookup of a client here, whatever becomes of
 * its events. */
#ifndef TAPIO_DNS_LATENCY_BPF_H
#define TAPIO_DNS_LATENCY_BPF_H

#include "bpf/packet.bpf.h"
#include "dns_latency.abi.h"

const volatile __u64 latency_within = 0; /* nanoseconds; later is no answer. 0: do not count */
const volatile __u8 no_latency[sizeof(struct tapio_dns_latency)] = {}; /* too big for the stack */

/* Without the network namespace: the ends of a virtual cable are in two (ADR 27). */
struct tapio_dns_asked_key {
	__u8 client[16], server[16];
	__u16 client_port, server_port;
	__u16 id;
	__u8 ip_version;
	__u8 reserved;
};

struct tapio_dns_asked {
	__u64 first_ns, latest_ns;
	__u64 cgroup_id; /* of who asked; 0: not known */
};

/* A query that nobody answers stays until others need its place. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAPIO_DNS_ASKED);
	__type(key, struct tapio_dns_asked_key);
	__type(value, struct tapio_dns_asked);
} asked SEC(".maps");

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

static __always_inline void count_latency(const struct tapio_dns_asked_key *key,
					  const struct tapio_dns_asked *query, __u64 now)
{
	struct tapio_dns_latency_key whose = {.cgroup_id = query->cgroup_id,
					      .server_port = key->server_port,
					      .ip_version = key->ip_version};
	__u64 took = now > query->first_ns ? now - query->first_ns : 0;
	__u64 bucket = tapio_dns_bucket(took);
	struct tapio_dns_latency *to;

	__builtin_memcpy(whose.server, key->server, sizeof(whose.server));
	to = latency_of(&whose);
	barrier_var(bucket); /* or clang proves the bound, and the verifier never sees it */
	if (!to || bucket >= TAPIO_DNS_BUCKETS)
		return;
	tapio_add(to->total_ns, took);
	tapio_add(to->buckets[bucket], 1);
}

static __always_inline bool is_waiting(const struct tapio_dns_asked *query, __u64 now)
{
	return now < query->latest_ns + latency_within;
}

/* A message is seen at each device that it passes, and may be sent again: the first time counts. */
static __always_inline void latency_asked(const struct tapio_dns_asked_key *key, __u64 cgroup_id)
{
	__u64 now = bpf_ktime_get_ns();
	struct tapio_dns_asked fresh = {.first_ns = now, .latest_ns = now, .cgroup_id = cgroup_id};
	struct tapio_dns_asked *known;

	if (!bpf_map_update_elem(&asked, key, &fresh, BPF_NOEXIST))
		return;
	known = bpf_map_lookup_elem(&asked, key);
	if (!known)
		return;
	if (is_waiting(known, now))
		known->latest_ns = now;
	else
		*known = fresh;
}

/* Whoever takes the query out counts the answer, so it counts once. */
static __always_inline void latency_answered(const struct tapio_dns_asked_key *key)
{
	struct tapio_dns_asked *known = bpf_map_lookup_elem(&asked, key);
	struct tapio_dns_asked query;
	__u64 now = bpf_ktime_get_ns();

	if (!known)
		return;
	query = *known;
	if (!bpf_map_delete_elem(&asked, key) && is_waiting(&query, now))
		count_latency(key, &query, now);
}

/* A query that a task here sends, or an answer that comes; `run->bystander` has been set. */
static __always_inline void measure_latency(struct tapio_run *run, const struct tapio_datagram *d,
					    bool is_answer)
{
	struct tapio_dns_asked_key key = {.ip_version = d->ip.ip_version};

	if (!latency_within)
		return;
	__builtin_memcpy(&key.id, tapio_udp_head(d), sizeof(key.id));
	key.client_port = is_answer ? d->destination_port : d->source_port;
	key.server_port = is_answer ? d->source_port : d->destination_port;
	if (is_answer) {
		__builtin_memcpy(key.client, d->ip.destination, sizeof(key.client));
		__builtin_memcpy(key.server, d->ip.source, sizeof(key.server));
		latency_answered(&key);
	} else {
		__builtin_memcpy(key.client, d->ip.source, sizeof(key.client));
		__builtin_memcpy(key.server, d->ip.destination, sizeof(key.server));
		latency_asked(&key, run->bystander ?
					    0 :
					    tapio_current_cgroup_id(run, tapio.cgroup_subsystem));
	}
}

#endif
