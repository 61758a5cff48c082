/* SPDX-License-Identifier: GPL-2.0-only */
/* The bytes of a socket buffer wherever they lie, in fragments of pages too: TCP over IP, without
 * encapsulation. For typed tracepoints from 6.12 on (Feature::skb_dynptr). An object with this in
 * it is opened there alone: to find the function, libbpf wants the BTF that the kernel shows. */
#ifndef TAPIO_DYNPTR_BPF_H
#define TAPIO_DYNPTR_BPF_H

#include "bpf/packet.bpf.h"
#include "bpf/text.bpf.h"

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *packet) __ksym;

struct tapio_segment {
	__u32 network; /* where the IP header is, in the packet */
	__u32 payload; /* and what TCP carries */
	__u32 bytes;   /* of it */
	__u32 sequence;
	__u16 source_port, destination_port;
	__u32 ip_version;
};

/* Where the TCP header is, and where the packet ends: what follows is padding. 0: no TCP, a later
 * fragment, or IPv6 extension headers. */
static __always_inline __u32 tapio_tcp_header(const struct bpf_dynptr *packet, __u16 protocol,
					      struct tapio_segment *s, __u32 *bytes)
{
	struct ipv6hdr ip6 = {};
	struct iphdr ip = {};

	if (protocol == TAPIO_ETH_IP) {
		s->ip_version = 4;
		if (bpf_dynptr_read(&ip, sizeof(ip), packet, s->network, 0) ||
		    ip.protocol != IPPROTO_TCP || bpf_ntohs(ip.frag_off) & TAPIO_IP_OFFSET)
			return 0;
		*bytes = bpf_ntohs(ip.tot_len);
		return s->network + ip.ihl * 4;
	}
	if (protocol == TAPIO_ETH_IPV6) {
		s->ip_version = 6;
		if (bpf_dynptr_read(&ip6, sizeof(ip6), packet, s->network, 0) ||
		    ip6.nexthdr != IPPROTO_TCP)
			return 0;
		*bytes = bpf_ntohs(ip6.payload_len);
		if (*bytes)
			*bytes += sizeof(ip6);
		return s->network + sizeof(ip6);
	}
	return 0;
}

/* False: no TCP, or nothing in it. A packet of more than 64 KiB, made by offloading, says 0 for its
 * size. */
static __always_inline bool tapio_tcp(const struct bpf_dynptr *packet, __u32 length,
				      __u16 protocol, struct tapio_segment *s)
{
	__u32 bytes = 0, end = length, header = tapio_tcp_header(packet, protocol, s, &bytes);
	struct tcphdr tcp = {};

	if (!header || bpf_dynptr_read(&tcp, sizeof(tcp), packet, header, 0))
		return false;
	if (bytes && s->network + bytes < end)
		end = s->network + bytes;
	s->payload = header + tcp.doff * 4;
	s->bytes = end > s->payload ? end - s->payload : 0;
	s->sequence = bpf_ntohl(tcp.seq);
	s->source_port = bpf_ntohs(tcp.source);
	s->destination_port = bpf_ntohs(tcp.dest);
	return s->bytes > 0;
}

/* As on the wire; those of IPv4 in the first four bytes. */
static __always_inline void tapio_segment_addresses(const struct bpf_dynptr *packet,
						    const struct tapio_segment *s,
						    __u8 (*source)[16], __u8 (*destination)[16])
{
	if (s->ip_version == 4) {
		bpf_dynptr_read(source, 4, packet, s->network + 12, 0);
		bpf_dynptr_read(destination, 4, packet, s->network + 16, 0);
	} else {
		bpf_dynptr_read(source, 16, packet, s->network + 8, 0);
		bpf_dynptr_read(destination, 16, packet, s->network + 24, 0);
	}
}

/* Bytes of the packet, at most `room`, a power of two minus one. */
static __always_inline void tapio_append_packet(struct tapio_run *run, struct tapio_text *piece,
						const struct bpf_dynptr *packet, __u32 from,
						__u32 bytes, __u32 room)
{
	__u64 offset;
	void *to = tapio_tail_at(run, room, &offset);
	__u32 size = bytes < room ? bytes : room;

	piece->original = bytes;
	if (!to)
		return;
	size &= room;
	if (bpf_dynptr_read(to, size, packet, from, 0)) {
		tapio_add(run->row->read_faults, 1);
		return;
	}
	piece->offset = offset;
	piece->size = size;
	tapio_tail_grow(run, size);
}

#endif
