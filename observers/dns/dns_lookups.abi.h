/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What programs know of the lookups over UDP that are under way. */
#ifndef TAPIO_DNS_LOOKUPS_ABI_H
#define TAPIO_DNS_LOOKUPS_ABI_H

#include "bpf/abi.h"

/* A set for each value of some bits of a hash, and in it so many places. A lookup that finds none
 * is counted: its latency is not known, and its messages go each by themselves. */
#define TAPIO_DNS_ASKED_SETS 4096
#define TAPIO_DNS_ASKED_PLACES 2
/* Messages of a lookup, at all devices, that go where its query went; others go by themselves. */
#define TAPIO_DNS_FOLLOWERS 16
/* The same query sooner than this is the same packet, at the next device. */
#define TAPIO_DNS_REPEAT_NS 2000000

#endif
