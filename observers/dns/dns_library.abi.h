/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TAPIO_DNS_LIBRARY_ABI_H
#define TAPIO_DNS_LIBRARY_ABI_H

#include "bpf/abi.h"

#define TAPIO_DNS_LIBRARY 0x0404
#define TAPIO_DNS_LIBRARY_VERSION 1

#define TAPIO_DNS_LIBRARY_CALLS 8192 /* under way at once; beyond: the oldest is not told */

/* A call of getaddrinfo() that is over. The header names who called, and when it came back. */
struct tapio_dns_library {
	struct tapio_event_header header;
	__u64 began_ns; /* on the same clock */
	__s32 result;   /* 0, or one of EAI_ */
	__u32 reserved;
	struct tapio_text name; /* as the program gave it */
};
TAPIO_ABI(tapio_dns_library, 40 + 8 + 8 + 8);

#endif
