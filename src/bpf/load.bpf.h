/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets by plain loads wherever a program says, of which the kernel handles the faults: what
 * cannot be read is zero, and nobody is told. For objects that are opened on kernels with all that
 * it names alone (a35b9af4ec2c, 6.2): libbpf cannot leave out a function that the kernel lacks. */
#ifndef TAPIO_LOAD_BPF_H
#define TAPIO_LOAD_BPF_H

#include "bpf/read.bpf.h"

extern void *bpf_rdonly_cast(const void *address, __u32 btf_id) __ksym;

/* Some memory of no meaning: a struct of the kernel that is all numbers, of which as many as one
 * likes lie in a row. */
#define TAPIO_WORDS_BYTES sizeof(struct in6_addr)

static __always_inline const struct in6_addr *tapio_words_at(const void *address)
{
	return bpf_rdonly_cast(address, bpf_core_type_id_kernel(struct in6_addr));
}

/* `to` is aligned to 8 bytes when it is on the stack, and `bytes` is a constant. */
static __always_inline void tapio_load_packet(void *to, const void *from, __u32 bytes)
{
	__u32 at = 0;

#pragma unroll
	for (; at + sizeof(__u64) <= bytes; at += sizeof(__u64))
		*(__u64 *)(to + at) = *(const __u64 *)&tapio_words_at(from + at)->in6_u.u6_addr8;
	if (bytes - at >= sizeof(__u32)) {
		*(__u32 *)(to + at) = *(const __u32 *)&tapio_words_at(from + at)->in6_u.u6_addr8;
		at += sizeof(__u32);
	}
	if (bytes - at >= sizeof(__u16))
		*(__u16 *)(to + at) = *(const __u16 *)&tapio_words_at(from + at)->in6_u.u6_addr8;
}

/* One byte. */
static __always_inline __u8 tapio_load_byte(const void *from)
{
	return tapio_words_at(from)->in6_u.u6_addr8[0];
}

#define TAPIO_READ_PACKET(run, dst, src) tapio_load_packet(&(dst), src, sizeof(dst))

#endif
