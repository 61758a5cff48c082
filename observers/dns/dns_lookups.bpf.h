/* SPDX-License-Identifier: GPL-2.0-only */
/* Lookups over UDP that are under way: so that a limit lets all messages of one through, or none,
 * and its latency is known whatever becomes of them. */
#ifndef TAPIO_DNS_LOOKUPS_BPF_H
#define TAPIO_DNS_LOOKUPS_BPF_H

#include "bpf/packet.bpf.h"
#include "dns.abi.h"
#include "dns_latency.bpf.h"
#include "dns_lookups.abi.h"

const volatile __u64 waits_ns = 0; /* from when it was asked last; later is no answer */
const volatile __u64 lookup_secret = 0;

/* A place is written by whoever comes, without a lock: a message is rarely on two CPUs at once. Two
 * queries that want one place at once may both have it, and one then looks like none. */
struct tapio_dns_asked {
	__u64 name; /* as name_of() has it; 0: nobody's yet */
	__u64 first_ns;
	__u64 cgroup_id; /* of who asked; 0: not known */
	__u32 again_us;  /* from then on, when it was asked last */
	__u8 went;       /* tapio_run.ended of the query */
	__u8 followed;   /* messages that went as it did */
	__u8 is_served;  /* asked from elsewhere */
	__u8 is_answered;
};

struct tapio_dns_asked_set {
	struct tapio_dns_asked places[TAPIO_DNS_ASKED_PLACES];
};

_Static_assert(TAPIO_DNS_ASKED_SETS == 1 << 12, "twelve bits of a name say which set");

/* What nobody answers stays until its time is over. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAPIO_DNS_ASKED_SETS);
	__type(key, __u32);
	__type(value, struct tapio_dns_asked_set);
} asked SEC(".maps");

/* Queries that found no place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} crowded SEC(".maps");

static __always_inline __u64 mixed(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull; /* 2^64 by the golden ratio */
	return hash ^ hash >> 32;
}

/* 64 bits that two lookups under way do not share: of both ends and the id, without the network
 * namespace, for the ends of a virtual cable are in two (ADR 27). The secret keeps strangers from
 * choosing what shares a set. */
static __always_inline __u64 name_of(const struct tapio_datagram *d, bool is_answer)
{
	__u64 client[2], server[2], rest;
	__u16 id;

	__builtin_memcpy(client, is_answer ? d->ip.destination : d->ip.source, sizeof(client));
	__builtin_memcpy(server, is_answer ? d->ip.source : d->ip.destination, sizeof(server));
	__builtin_memcpy(&id, tapio_udp_head(d), sizeof(id));
	rest = is_answer ? (__u64)d->destination_port << 16 | d->source_port
			 : (__u64)d->source_port << 16 | d->destination_port;
	rest |= (__u64)id << 32 | (__u64)d->ip.ip_version << 48;
	return mixed(mixed(mixed(mixed(mixed(lookup_secret, client[0]), client[1]), server[0]),
			   server[1]),
		     rest) |
	       1;
}

static __always_inline __u64 latest_ns(const struct tapio_dns_asked *asked)
{
	return asked->first_ns + asked->again_us * 1000ull;
}

/* The lookup of that name, or NULL; then `free` is a place that may be had, or NULL. Who waits
 * keeps its place: that a newer query finds none has nothing to do with how long its answer
 * takes. */
static __always_inline struct tapio_dns_asked *find(__u64 name, __u64 now,
						    struct tapio_dns_asked **free)
{
	__u32 at = name >> 52; /* of a product, the highest bits hang on all of it */
	struct tapio_dns_asked_set *set = bpf_map_lookup_elem(&asked, &at);

	*free = NULL;
	if (!set)
		return NULL;
#pragma unroll
	for (int i = 0; i < TAPIO_DNS_ASKED_PLACES; i++) {
		struct tapio_dns_asked *place = &set->places[i];
		/* Just after boot, no time is so long ago that an empty place were over by it. */
		bool is_over = !place->name || now >= latest_ns(place) + waits_ns;

		if (place->name == name && !is_over)
			return place;
		if (is_over || place->is_answered)
			*free = place;
	}
	return NULL;
}

/* What passes a limit for its own sake is bounded by that limit; so this has to be bounded, too. */
static __always_inline void follow(struct tapio_run *run, struct tapio_dns_asked *lookup)
{
	if (lookup->followed >= TAPIO_DNS_FOLLOWERS)
		return;
	lookup->followed++;
	run->follows = lookup->went;
}

static __always_inline void count_crowded(void)
{
	__u32 only = 0;
	__u64 *count = bpf_map_lookup_elem(&crowded, &only);

	if (count)
		tapio_add(*count, 1);
}

/* Whether it was met at another device: as user space has it (Exchanges::take_query). */
static __always_inline bool is_repeat(const struct tapio_dns_asked *known, __u64 now,
				      __u8 direction)
{
	return now < latest_ns(known) + TAPIO_DNS_REPEAT_NS ||
	       (!known->is_served && direction == TAPIO_DNS_RECEIVED);
}

/* A query, with `run->now` and `run->bystander`. The lookup that will go where this one goes, or
 * NULL. It is seen at each device that it passes, and goes where it went at the first; sent again
 * it has to pass the limits again. */
static __always_inline struct tapio_dns_asked *meet_query(struct tapio_run *run,
							  const struct tapio_datagram *d,
							  __u8 direction)
{
	__u64 name = name_of(d, false), now = run->now;
	struct tapio_dns_asked *free, *known = find(name, now, &free);

	if (known && is_repeat(known, now, direction)) {
		follow(run, known);
		return NULL;
	}
	if (known && !known->is_answered) {
		known->again_us = (now - known->first_ns) / 1000;
		known->followed = 0;
		return known;
	}
	if (!known)
		known = free;
	if (!known) {
		count_crowded();
		return NULL;
	}
	*known = (struct tapio_dns_asked){
		.name = name,
		.first_ns = now,
		.cgroup_id = run->bystander ?
				     0 :
				     tapio_current_cgroup_id(run, tapio.cgroup_subsystem),
		.is_served = direction == TAPIO_DNS_RECEIVED,
	};
	return known;
}

/* An answer goes where its query went. Of a client here, what arrives is counted, and once. */
static __always_inline void meet_answer(struct tapio_run *run, const struct tapio_datagram *d,
					__u8 direction)
{
	struct tapio_dns_asked *free, *known = find(name_of(d, true), run->now, &free);
	__u64 asked_ns;

	if (!known)
		return;
	follow(run, known);
	if (known->is_answered || known->is_served != (direction == TAPIO_DNS_SENT))
		return;
	known->is_answered = true;
	asked_ns = tapio_again(known->first_ns); /* another CPU may have the place by now */
	if (!known->is_served)
		count_latency(d, known->cgroup_id, run->now > asked_ns ? run->now - asked_ns : 0);
}

#endif
