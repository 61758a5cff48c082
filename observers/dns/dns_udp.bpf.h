/* SPDX-License-Identifier: GPL-2.0-only */
/* DNS over UDP, from packets; and which ports are a name server's. */
#ifndef TAPIO_DNS_UDP_BPF_H
#define TAPIO_DNS_UDP_BPF_H

#include "bpf/tapio.bpf.h"
#include "bpf/packet.bpf.h"
#include "bpf/task.bpf.h"
#include "bpf/text.bpf.h"
#include "dns.abi.h"
#include "dns_encrypted.bpf.h"
#include "dns_lookups.bpf.h"
#include "dns_wire.abi.h"

#define PF_KTHREAD 0x00200000

const volatile __u16 ports[TAPIO_DNS_PORTS] = {}; /* 0: none */
const volatile __u32 served = 0;
const volatile __u64 interfaces[TAPIO_DNS_INTERFACES][2] = {}; /* names; none: all of them */

static __always_inline bool is_port(__u16 port)
{
#pragma unroll /* 5.10 does not bound a loop whose counter it forgot */
	for (int i = 0; i < TAPIO_DNS_PORTS; i++)
		if (ports[i] && ports[i] == port)
			return true;
	return false;
}

/* Behind its end a name may hold what is left of a longer one before it. */
static __always_inline bool is_watched(struct tapio_run *run, struct net_device *device)
{
	__u64 name[2] = {};

	if (!interfaces[0][0])
		return true;
	tapio_read_string(run, name, sizeof(name),
			  device ? __builtin_preserve_access_index(&device->name) : NULL);
#pragma unroll
	for (int i = 0; i < TAPIO_DNS_INTERFACES; i++)
		if (interfaces[i][0] == name[0] && interfaces[i][1] == name[1])
			return true;
	return false;
}

/* The flags of a message to or from a name server's port; 0 for `is_dns` when it is none. */
static __always_inline __u16 flags_of(const struct tapio_datagram *d, bool *is_dns)
{
	bool is_answer;
	__u16 flags;

	*is_dns = false;
	if (!is_port(d->source_port) && !is_port(d->destination_port))
		return 0;
	if (d->linear < TAPIO_DNS_HEADER_BYTES)
		return 0;
	flags = tapio_dns_read_header(tapio_udp_head(d)).flags;
	is_answer = flags & TAPIO_DNS_QR;
	*is_dns = is_port(is_answer ? d->source_port : d->destination_port);
	return flags;
}

/* Whether the task that runs is the one that sends. A datagram that waited for the neighbour's
 * address goes out when that comes, in whatever task then runs. */
static __always_inline bool is_sender(struct tapio_run *run, struct task_struct *task,
				      __u32 network_namespace)
{
	return !(TAPIO_GET(run, task, flags) & PF_KTHREAD) &&
	       TAPIO_GET(run, task, nsproxy, net_ns, ns.inum) == network_namespace;
}

_Static_assert(TAPIO_HEAD_BYTES == sizeof(struct udphdr) + TAPIO_DNS_HEADER_BYTES,
	       "the header of a message is read with that of UDP");
_Static_assert(TAPIO_DNS_INITIAL_VERSION == TAPIO_DNS_DATAGRAM_VERSION, "one struct, one version");

static __always_inline void fill(struct tapio_run *run, struct sk_buff *skb,
				 const struct tapio_datagram *d, __u16 kind, __u8 direction,
				 struct tapio_dns_datagram *e)
{
	struct net_device *device = TAPIO_GET(run, skb, dev);

	e->header.kind = kind;
	__builtin_memcpy(e->source, d->ip.source, sizeof(e->source));
	__builtin_memcpy(e->destination, d->ip.destination, sizeof(e->destination));
	e->source_port = d->source_port;
	e->destination_port = d->destination_port;
	e->ip_version = d->ip.ip_version;
	e->direction = direction;
	e->is_sender = !run->bystander;
	e->network_namespace = tapio_netns_of_device(run, device);
	e->interface_index = TAPIO_GET(run, device, ifindex);
	TAPIO_COPY(run, e->interface, device, name);
	tapio_append_kernel(run, &e->message, d->payload, d->linear, d->bytes,
			    TAPIO_DNS_MESSAGE_BYTES);
	TAPIO_END_TAIL(run, e);
}

static __always_inline void report(struct tapio_run *run, struct sk_buff *skb,
				   const struct tapio_datagram *d, __u16 kind, __u16 flags,
				   __u8 direction)
{
	__u32 event_class = tapio_dns_is_ordinary(flags) ? TAPIO_BULK : TAPIO_NORMAL;
	struct net_device *device = TAPIO_GET(run, skb, dev);
	__u32 namespace = tapio_netns_of_device(run, device);
	struct tapio_dns_asked *asked = NULL;
	struct tapio_dns_datagram *e;

	if (!is_watched(run, device))
		return;
	run->bystander = direction == TAPIO_DNS_RECEIVED ||
			 !is_sender(run, tapio_current(run), namespace);
	run->now = bpf_ktime_get_ns();
	if (flags & TAPIO_DNS_QR)
		meet_answer(run, d, direction);
	else if (kind == TAPIO_DNS_DATAGRAM)
		asked = meet_query(run, d, direction);
	e = TAPIO_BEGIN_TAIL(run, tapio_dns_datagram, TAPIO_DNS_DATAGRAM, event_class);
	if (e)
		fill(run, skb, d, kind, direction, e);
	if (asked)
		asked->went = run->ended;
}

/* Where a load tells, for most packets that a machine sends are TCP. A socket that is not whole, as
 * of a connection that is only asked for, may say anything here: it is TCP. */
static __always_inline bool is_tcp(struct tapio_run *run, struct sock *sk)
{
	return run->typed && TAPIO_GET(run, sk, sk_protocol) == IPPROTO_TCP;
}

/* What a server gets or sends, and need not be looked at: because nobody wants that, or because on
 * the loopback device the client's side of it is seen, too. */
static __always_inline bool is_served_here(struct tapio_run *run, struct sk_buff *skb)
{
	return !served || TAPIO_GET(run, skb, dev, flags) & TAPIO_IFF_LOOPBACK;
}

/* In the task that sends, mostly. A buffer without a socket is passed on for somebody else, and was
 * seen when it came. */
TAPIO_TRACEPOINT(net_dev_queue, TAPIO_DNS_ON_SEND, sent, struct sk_buff *skb)
{
	struct tapio_datagram d = {};
	const unsigned char *network;
	__u16 protocol, flags, kind = TAPIO_DNS_DATAGRAM;
	struct sock *sk = TAPIO_GET(run, skb, sk);
	bool is_dns;

	if (!sk || is_tcp(run, sk))
		return;
	network = tapio_network_of_sent(run, skb, &protocol);
	if (!tapio_udp(run, skb, network, protocol, &d))
		return;
	flags = flags_of(&d, &is_dns);
	if (!is_dns) {
		if (!begins_quic(&d))
			return;
		kind = TAPIO_DNS_INITIAL;
		flags = 0;
	}
	if (flags & TAPIO_DNS_QR && is_served_here(run, skb))
		return;
	report(run, skb, &d, kind, flags, TAPIO_DNS_SENT);
}

/* In an interrupt. What came over the loopback device was seen when it was sent: a query from there
 * says nothing new. */
TAPIO_TRACEPOINT(netif_receive_skb, TAPIO_DNS_ON_RECEIVE, received, struct sk_buff *skb)
{
	struct tapio_datagram d = {};
	const unsigned char *network;
	__u16 protocol, flags;
	bool is_dns;

	network = tapio_network_of_received(run, skb, &protocol);
	if (!tapio_udp(run, skb, network, protocol, &d))
		return;
	flags = flags_of(&d, &is_dns);
	if (!is_dns)
		return;
	if (!(flags & TAPIO_DNS_QR) && is_served_here(run, skb))
		return;
	report(run, skb, &d, TAPIO_DNS_DATAGRAM, flags, TAPIO_DNS_RECEIVED);
}

#endif
