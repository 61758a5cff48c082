/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Histograms of the time that answers over UDP take, as programs count them. The buckets are those
 * of user space, too: one source for both sides. */
#ifndef TAPIO_DNS_LATENCY_ABI_H
#define TAPIO_DNS_LATENCY_ABI_H

#include "bpf/abi.h"

#define TAPIO_DNS_LATENCIES 512 /* histograms; beyond: what has none is in one more */

/* Of an eighth of a power of two, in microseconds; of one below the first that are exact. */
#define TAPIO_DNS_BUCKETS_EXACT 16
#define TAPIO_DNS_BUCKET_PARTS 8
#define TAPIO_DNS_BUCKET_TOP 27 /* from 2^27 us on, 134 s, there is one */
#define TAPIO_DNS_BUCKETS 200   /* 16 + (27 - 4) * 8 */

/* A name server, and the cgroup of those who ask it; 0: it is not known who does. */
struct tapio_dns_latency_key {
	__u8 server[16]; /* IPv4: the first four bytes */
	__u64 cgroup_id;
	__u16 server_port;
	__u8 ip_version; /* 4 or 6 */
	__u8 reserved[5];
};
TAPIO_ABI(tapio_dns_latency_key, 32);

/* Sums since the entry was made. */
struct tapio_dns_latency {
	__u64 total_ns;
	__u32 buckets[TAPIO_DNS_BUCKETS];
};
TAPIO_ABI(tapio_dns_latency, 8 + 4 * 200);

/* Where a duration is counted. */
static inline __u64 tapio_dns_bucket(__u64 ns)
{
	__u64 us = ns / 1000, power;

	if (us < TAPIO_DNS_BUCKETS_EXACT)
		return us;
	power = 63 - __builtin_clzll(us);
	if (power >= TAPIO_DNS_BUCKET_TOP)
		return TAPIO_DNS_BUCKETS - 1;
	return TAPIO_DNS_BUCKETS_EXACT + (power - 4) * TAPIO_DNS_BUCKET_PARTS +
	       (us >> (power - 3)) % TAPIO_DNS_BUCKET_PARTS;
}

#endif
