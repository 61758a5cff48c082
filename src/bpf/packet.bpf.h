/* SPDX-License-Identifier: GPL-2.0-only */
/* What lies in a socket buffer: IP and UDP, without encapsulation. All of it is read and nothing is
 * assumed of it, for it comes from strangers. */
#ifndef TAPIO_PACKET_BPF_H
#define TAPIO_PACKET_BPF_H

#include "bpf/tapio.bpf.h"
#include <bpf/bpf_endian.h>

#define TAPIO_ETH_IP 0x0800
#define TAPIO_ETH_IPV6 0x86dd
#define TAPIO_ETH_VLAN 0x8100
#define TAPIO_VLAN_BYTES 4 /* a tag that the device left in the packet */
#define TAPIO_IP_OFFSET 0x1fff
#define TAPIO_IFF_LOOPBACK 8

/* How a packet is read. An object for kernels that offer more includes bpf/load.bpf.h first. */
#ifndef TAPIO_READ_PACKET
#define TAPIO_READ_PACKET(run, dst, src) TAPIO_READ(run, dst, src)
#endif

#define TAPIO_HEAD_BYTES 20 /* TCP, or UDP and the header of a DNS message */

/* What an IP header says, and how that begins which it carries. */
struct tapio_carried {
	__u8 source[16], destination[16]; /* as on the wire; of IPv4 in the first four bytes */
	__u8 head[TAPIO_HEAD_BYTES];
	__u32 at;         /* where it begins, from the IP header on */
	__u32 ip_version; /* 4 or 6 */
};

struct tapio_datagram {
	const unsigned char *payload;
	struct tapio_carried ip;
	__u32 bytes;  /* of the payload, as its sender says */
	__u32 linear; /* of them, what lies in one piece; the rest is in fragments of pages */
	__u16 source_port, destination_port;
};

/* Of a packet on its way out, as net_dev_queue has it: data begins before the IP header. */
static __always_inline const unsigned char *tapio_network_of_sent(struct tapio_run *run,
								  struct sk_buff *skb,
								  __u16 *protocol)
{
	*protocol = bpf_ntohs(TAPIO_GET(run, skb, protocol));
	return TAPIO_GET(run, skb, head) + TAPIO_GET(run, skb, network_header);
}

/* Of one that came in, as netif_receive_skb has it: data begins with the IP header, or a tag. */
static __always_inline const unsigned char *tapio_network_of_received(struct tapio_run *run,
								      struct sk_buff *skb,
								      __u16 *protocol)
{
	const unsigned char *network = TAPIO_GET(run, skb, data);
	__be16 tagged = 0;

	*protocol = bpf_ntohs(TAPIO_GET(run, skb, protocol));
	if (*protocol != TAPIO_ETH_VLAN)
		return network;
	TAPIO_READ_PACKET(run, tagged, network + TAPIO_VLAN_BYTES - sizeof(tagged));
	*protocol = bpf_ntohs(tagged);
	return network + TAPIO_VLAN_BYTES;
}

/* One read, for calls are what a packet costs here. What is shorter has memory of the kernel behind
 * it: struct skb_shared_info lies behind every packet. */
union tapio_packet_head {
	struct ipv6hdr ip6;
	struct {
		struct iphdr ip;
		__u8 carried[TAPIO_HEAD_BYTES]; /* when IP has no options */
	};
};

/* False: it carries something else, or is a later fragment, or has IPv6 extension headers. How much
 * of it is there, is for the caller to know. */
static __always_inline bool tapio_ip(struct tapio_run *run, const unsigned char *network,
				     __u16 protocol, __u8 carries, struct tapio_carried *c)
{
	union tapio_packet_head p = {};

	if (protocol != TAPIO_ETH_IP && protocol != TAPIO_ETH_IPV6)
		return false;
	TAPIO_READ_PACKET(run, p, network);
	if (protocol == TAPIO_ETH_IP) {
		if (p.ip.protocol != carries || bpf_ntohs(p.ip.frag_off) & TAPIO_IP_OFFSET)
			return false;
		c->ip_version = 4;
		c->at = p.ip.ihl * 4;
		__builtin_memcpy(c->source, &p.ip.saddr, sizeof(p.ip.saddr));
		__builtin_memcpy(c->destination, &p.ip.daddr, sizeof(p.ip.daddr));
		if (c->at == sizeof(p.ip)) {
			__builtin_memcpy(c->head, p.carried, sizeof(c->head));
			return true;
		}
	} else {
		if (p.ip6.nexthdr != carries)
			return false;
		c->ip_version = 6;
		c->at = sizeof(p.ip6);
		__builtin_memcpy(c->source, &p.ip6.saddr, sizeof(c->source));
		__builtin_memcpy(c->destination, &p.ip6.daddr, sizeof(c->destination));
	}
	TAPIO_READ_PACKET(run, c->head, network + c->at);
	return true;
}

/* UDP and TCP begin with them. */
static __always_inline __u16 tapio_source_port(const struct tapio_carried *c)
{
	return c->head[0] << 8 | c->head[1];
}

static __always_inline __u16 tapio_destination_port(const struct tapio_carried *c)
{
	return c->head[2] << 8 | c->head[3];
}

static __always_inline bool tapio_udp(struct tapio_run *run, struct sk_buff *skb,
				      const unsigned char *network, __u16 protocol,
				      struct tapio_datagram *d)
{
	__u64 end;

	if (!tapio_ip(run, network, protocol, IPPROTO_UDP, &d->ip))
		return false;
	end = (__u64)TAPIO_GET(run, skb, data) + TAPIO_GET(run, skb, len) -
	      TAPIO_GET(run, skb, data_len);
	d->payload = network + d->ip.at + sizeof(struct udphdr);
	d->source_port = tapio_source_port(&d->ip);
	d->destination_port = tapio_destination_port(&d->ip);
	d->bytes = d->ip.head[4] << 8 | d->ip.head[5];
	d->bytes = d->bytes > sizeof(struct udphdr) ? d->bytes - sizeof(struct udphdr) : 0;
	d->linear = end > (__u64)d->payload ? end - (__u64)d->payload : 0;
	if (d->linear > d->bytes)
		d->linear = d->bytes;
	return true;
}

/* The first bytes of the payload: twelve, of which those count that are below `linear`. */
static __always_inline const __u8 *tapio_udp_head(const struct tapio_datagram *d)
{
	return d->ip.head + sizeof(struct udphdr);
}

/* The network namespace of a device: its inode number. */
static __always_inline __u32 tapio_netns_of_device(struct tapio_run *run, struct net_device *device)
{
	return TAPIO_GET(run, device, nd_net.net, ns.inum);
}

#endif
