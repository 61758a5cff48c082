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

struct tapio_datagram {
	const unsigned char *network; /* the IP header */
	const unsigned char *payload;
	__u32 bytes;  /* of the payload, as its sender says */
	__u32 linear; /* of them, what lies in one piece; the rest is in fragments of pages */
	__u16 source_port, destination_port;
	__u32 ip_version; /* 4 or 6 */
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
	TAPIO_READ(run, tagged, network + TAPIO_VLAN_BYTES - sizeof(tagged));
	*protocol = bpf_ntohs(tagged);
	return network + TAPIO_VLAN_BYTES;
}

/* Where the UDP header is; NULL: the packet has none, is a later fragment, or has IPv6 extension
 * headers. */
static __always_inline const unsigned char *tapio_udp_header(struct tapio_run *run,
							     const unsigned char *network,
							     __u16 protocol, __u32 *ip_version)
{
	struct ipv6hdr ip6 = {};
	struct iphdr ip = {};

	if (protocol == TAPIO_ETH_IP) {
		TAPIO_READ(run, ip, network);
		*ip_version = 4;
		if (ip.protocol != IPPROTO_UDP || bpf_ntohs(ip.frag_off) & TAPIO_IP_OFFSET)
			return NULL;
		return network + ip.ihl * 4;
	}
	if (protocol == TAPIO_ETH_IPV6) {
		TAPIO_READ(run, ip6, network);
		*ip_version = 6;
		return ip6.nexthdr == IPPROTO_UDP ? network + sizeof(ip6) : NULL;
	}
	return NULL;
}

static __always_inline bool tapio_udp(struct tapio_run *run, struct sk_buff *skb,
				      const unsigned char *network, __u16 protocol,
				      struct tapio_datagram *d)
{
	const unsigned char *header = tapio_udp_header(run, network, protocol, &d->ip_version);
	struct udphdr udp = {};
	__u64 end;

	if (!header)
		return false;
	TAPIO_READ(run, udp, header);
	end = (__u64)TAPIO_GET(run, skb, data) + TAPIO_GET(run, skb, len) -
	      TAPIO_GET(run, skb, data_len);
	d->network = network;
	d->payload = header + sizeof(udp);
	d->source_port = bpf_ntohs(udp.source);
	d->destination_port = bpf_ntohs(udp.dest);
	d->bytes = bpf_ntohs(udp.len);
	d->bytes = d->bytes > sizeof(udp) ? d->bytes - sizeof(udp) : 0;
	d->linear = end > (__u64)d->payload ? end - (__u64)d->payload : 0;
	if (d->linear > d->bytes)
		d->linear = d->bytes;
	return true;
}

/* Addresses as they are on the wire; those of IPv4 in the first four bytes. */
static __always_inline void tapio_addresses(struct tapio_run *run, const struct tapio_datagram *d,
					    __u8 (*source)[16], __u8 (*destination)[16])
{
	struct ipv6hdr *ip6 = (void *)d->network;
	struct iphdr *ip = (void *)d->network;

	if (d->ip_version == 4) {
		TAPIO_READ(run, *(__be32 *)source, &ip->saddr);
		TAPIO_READ(run, *(__be32 *)destination, &ip->daddr);
	} else {
		TAPIO_READ(run, *source, &ip6->saddr);
		TAPIO_READ(run, *destination, &ip6->daddr);
	}
}

/* The network namespace of a device: its inode number. */
static __always_inline __u32 tapio_netns_of_device(struct tapio_run *run, struct net_device *device)
{
	return TAPIO_GET(run, device, nd_net.net, ns.inum);
}

#endif
