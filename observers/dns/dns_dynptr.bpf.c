// SPDX-License-Identifier: GPL-2.0-only
/* All that the other object has, and DNS over TCP from packets, for kernels that show all of a
 * packet to typed tracepoints. There one program sees all packets that leave, and one all that
 * come: most of them are of no interest, and being run is most of what they cost. */
#define TAPIO_SLOT_BYTES 4096
#include "bpf/load.bpf.h"
#include "dns_udp.bpf.h"
#include "dns_tcp.bpf.h"
#include "dns_library.bpf.h"
#include "bpf/dynptr.bpf.h"

static __always_inline bool is_of_socket(const struct sock *sk)
{
	return sk && (is_port(sk->__sk_common.skc_num) ||
		      is_port(bpf_ntohs(sk->__sk_common.skc_dport)));
}

/* Whether nothing but this packet was sent by the socket: what it sends first is in there. */
static __always_inline bool may_begin(struct tapio_run *run, struct sock *sk, __u32 length)
{
	return sk && is_encrypted_port(bpf_ntohs(sk->__sk_common.skc_dport)) &&
	       sk->__sk_common.skc_state <= TCP_SYN_SENT && /* no other is a whole socket always */
	       sk->sk_protocol == IPPROTO_TCP &&
	       TAPIO_PROBE(run, (struct tcp_sock *)sk, bytes_sent) <= length;
}

static __always_inline bool is_hello(const struct bpf_dynptr *packet,
				     const struct tapio_segment *s)
{
	__u8 head[3] = {};

	return !bpf_dynptr_read(head, sizeof(head), packet, s->payload, 0) && begins_tls(&head);
}

/* Of a header in a packet: bytes from where the packet begins. Both are pointers to the verifier
 * from 6.17 on, which may be subtracted in 64 bits alone. */
static __always_inline __u32 packet_offset(struct tapio_run *run, struct sk_buff *skb,
					   const unsigned char *header)
{
	__u64 offset = header - TAPIO_GET(run, skb, data);

	barrier_var(offset);
	return offset;
}

_Static_assert(TAPIO_DNS_HELLO_VERSION == TAPIO_DNS_SEGMENT_VERSION, "one struct, one version");

static __always_inline void report_segment(struct tapio_run *run, struct sk_buff *skb,
					   const struct bpf_dynptr *packet,
					   const struct tapio_segment *s, __u16 kind,
					   __u8 direction)
{
	struct net_device *device = TAPIO_GET(run, skb, dev);
	__u32 namespace = tapio_netns_of_device(run, device);
	struct tapio_dns_segment *e;

	if (!is_watched(run, device))
		return;
	run->bystander = direction == TAPIO_DNS_RECEIVED ||
			 !is_sender(run, tapio_current(run), namespace);
	e = TAPIO_BEGIN_TAIL(run, tapio_dns_segment, TAPIO_DNS_SEGMENT, TAPIO_NORMAL);
	if (!e)
		return;
	e->header.kind = kind;
	tapio_segment_addresses(packet, s, &e->source, &e->destination);
	e->source_port = s->source_port;
	e->destination_port = s->destination_port;
	e->ip_version = s->ip_version;
	e->direction = direction;
	e->is_sender = !run->bystander;
	e->network_namespace = namespace;
	e->sequence = s->sequence;
	TAPIO_COPY(run, e->interface, device, name);
	tapio_append_packet(run, &e->payload, packet, s->payload, s->bytes,
			    TAPIO_DNS_MESSAGE_BYTES);
	TAPIO_END_TAIL(run, e);
}

/* The socket tells the ports, so other packets cost a few loads. */
static __always_inline void tcp_sent(struct tapio_run *run, struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	bool is_dns = is_of_socket(sk);
	struct tapio_segment s = {};
	struct bpf_dynptr packet;
	__u16 protocol;

	if (!is_dns && !may_begin(run, sk, skb->len))
		return;
	if (bpf_dynptr_from_skb((void *)skb, 0, &packet))
		return;
	s.network = packet_offset(run, skb, tapio_network_of_sent(run, skb, &protocol));
	if (!tapio_tcp(&packet, skb->len, protocol, &s))
		return;
	if (is_dns ? !is_port(s.destination_port) && is_served_here(run, skb) :
		     !is_hello(&packet, &s))
		return;
	report_segment(run, skb, &packet, &s, is_dns ? TAPIO_DNS_SEGMENT : TAPIO_DNS_HELLO,
		       TAPIO_DNS_SENT);
}

/* By its ports, where they lie in one piece with what is before them, as they mostly do. */
static __always_inline bool may_be_ours(struct tapio_run *run, struct sk_buff *skb,
					const unsigned char *network, __u16 protocol, __u32 offset)
{
	__u32 linear = TAPIO_GET(run, skb, len) - TAPIO_GET(run, skb, data_len);
	__u32 header = protocol == TAPIO_ETH_IP ? (tapio_load_byte(network) & 15) * 4 :
						  sizeof(struct ipv6hdr);
	__be16 ends[2] __attribute__((aligned(8)));

	if (linear < offset + header + sizeof(ends))
		return true; /* not in sight */
	tapio_load_packet(ends, network + header, sizeof(ends));
	return is_port(bpf_ntohs(ends[0])) || (served && is_port(bpf_ntohs(ends[1])));
}

static __always_inline void tcp_received(struct tapio_run *run, struct sk_buff *skb)
{
	const unsigned char *network;
	struct tapio_segment s = {};
	struct bpf_dynptr packet;
	__u16 protocol;

	network = tapio_network_of_received(run, skb, &protocol);
	s.network = packet_offset(run, skb, network);
	if (!may_be_ours(run, skb, network, protocol, s.network) ||
	    bpf_dynptr_from_skb((void *)skb, 0, &packet) ||
	    !tapio_tcp(&packet, skb->len, protocol, &s))
		return;
	if (!is_port(s.source_port) &&
	    (!is_port(s.destination_port) || is_served_here(run, skb)))
		return;
	report_segment(run, skb, &packet, &s, TAPIO_DNS_SEGMENT, TAPIO_DNS_RECEIVED);
}

/* As is_tcp(); without a socket it is somebody else's, and of no interest. */
static __always_inline __u32 hook_of_sent(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	return sk && sk->sk_protocol == IPPROTO_TCP ? TAPIO_DNS_ON_TCP_SEND : TAPIO_DNS_ON_SEND;
}

TAPIO_TYPED_TRACEPOINT(net_dev_queue, hook_of_sent((void *)ctx[0]), packet_sent,
		       struct sk_buff *skb)
{
	if (run->hook == TAPIO_DNS_ON_TCP_SEND)
		tcp_sent(run, skb);
	else
		sent(run, ctx, skb);
}

/* What a packet that came carries; 0: nothing that is looked at. Before there is a run, for its
 * hook hangs on this. */
static __always_inline __u8 carried_by(struct sk_buff *skb)
{
	const unsigned char *network = skb->data;
	__be16 protocol = skb->protocol;

	if (protocol == bpf_htons(TAPIO_ETH_VLAN)) {
		network += TAPIO_VLAN_BYTES;
		tapio_load_packet(&protocol, network - sizeof(protocol), sizeof(protocol));
	}
	if (protocol == bpf_htons(TAPIO_ETH_IP))
		return tapio_load_byte(network + offsetof(struct iphdr, protocol));
	if (protocol == bpf_htons(TAPIO_ETH_IPV6))
		return tapio_load_byte(network + offsetof(struct ipv6hdr, nexthdr));
	return 0;
}

static __always_inline __u32 hook_of_received(struct sk_buff *skb)
{
	return carried_by(skb) == IPPROTO_TCP ? TAPIO_DNS_ON_TCP_RECEIVE : TAPIO_DNS_ON_RECEIVE;
}

TAPIO_TYPED_TRACEPOINT(netif_receive_skb, hook_of_received((void *)ctx[0]), packet_received,
		       struct sk_buff *skb)
{
	if (run->hook == TAPIO_DNS_ON_TCP_RECEIVE)
		tcp_received(run, skb);
	else
		received(run, ctx, skb);
}
