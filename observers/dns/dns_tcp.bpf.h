/* SPDX-License-Identifier: GPL-2.0-only */
/* DNS over TCP at its sockets: what processes hand over and take, in order, and connections as they
 * open. */
#ifndef TAPIO_DNS_TCP_BPF_H
#define TAPIO_DNS_TCP_BPF_H

#include "bpf/packet.bpf.h"
#include "bpf/text.bpf.h"
#include "dns.abi.h"
#include "dns_encrypted.bpf.h"

#define AF_INET6 10
#define MSG_PEEK 2
#define MSG_TRUNC 0x20
#define IOVECS 4 /* of one call that are read; glibc sends length and message in two */

struct iovec___any {
	void *iov_base;
	__u64 iov_len;
} __attribute__((preserve_access_index));

/* All that it was from 5.4 to 7.x. 5.14: `type` became `iter_type`, without the direction in its
 * lowest bit. 6.0: `ubuf`, one buffer without a vector. 6.4: `iov` became `__iov`. */
struct iov_iter___any {
	__u64 iov_offset;
	const struct iovec___any *iov, *__iov;
	void *ubuf;
	__u32 type;
	__u8 iter_type, unused[3];
} __attribute__((preserve_access_index));

enum iter_type___any { ITER_IOVEC___any, ITER_UBUF___any };

struct msghdr___any {
	struct iov_iter___any msg_iter;
} __attribute__((preserve_access_index));

/* Memory of a process: one buffer, or a vector of them; `offset` counts in the first. */
struct buffers {
	const struct iovec___any *vector;
	__u64 buffer;
	__u64 offset;
};

/* Where the kernel stands in them. False: they are of another kind, like pages of the kernel. */
static __always_inline bool buffers_of(struct tapio_run *run, struct msghdr___any *msg,
				       struct buffers *b)
{
	__u32 type;

	if (bpf_core_field_exists(struct iov_iter___any, iter_type))
		type = TAPIO_GET(run, msg, msg_iter.iter_type);
	else
		type = TAPIO_GET(run, msg, msg_iter.type) & ~1u;
	b->offset = TAPIO_GET(run, msg, msg_iter.iov_offset);
	if (bpf_core_enum_value_exists(enum iter_type___any, ITER_UBUF___any) &&
	    type == bpf_core_enum_value(enum iter_type___any, ITER_UBUF___any)) {
		b->buffer = (__u64)TAPIO_GET(run, msg, msg_iter.ubuf);
		return true;
	}
	if (bpf_core_field_exists(struct iov_iter___any, __iov))
		b->vector = TAPIO_GET(run, msg, msg_iter.__iov);
	else
		b->vector = TAPIO_GET(run, msg, msg_iter.iov);
	return type == bpf_core_enum_value(enum iter_type___any, ITER_IOVEC___any);
}

/* Back to where the last `bytes` began. */
static __always_inline bool rewind(struct tapio_run *run, struct buffers *b, __u64 bytes)
{
	if (b->buffer) {
		b->offset -= bytes;
		return true;
	}
#pragma unroll /* 5.10 does not bound a loop whose counter it forgot */
	for (int i = 0; i < IOVECS; i++) {
		const struct iovec___any *before = b->vector - 1;

		if (b->offset >= bytes) {
			b->offset -= bytes;
			return true;
		}
		bytes -= b->offset;
		b->vector = before;
		b->offset = TAPIO_GET(run, before, iov_len);
	}
	return false;
}

static __always_inline void append_buffers(struct tapio_run *run, struct tapio_text *piece,
					   struct buffers *b, __u64 bytes)
{
	if (b->buffer) {
		tapio_append_user(run, piece, b->buffer + b->offset, bytes,
				  TAPIO_DNS_MESSAGE_BYTES);
		return;
	}
	piece->original = bytes;
#pragma unroll
	for (int i = 0; i < IOVECS; i++) {
		const struct iovec___any *now = b->vector;
		struct tapio_text part = {};
		__u64 base, length;

		if (!bytes)
			break;
		base = (__u64)TAPIO_GET(run, now, iov_base);
		length = TAPIO_GET(run, now, iov_len) - b->offset;
		length = length < bytes ? length : bytes;
		tapio_append_user(run, &part, base + b->offset, length, TAPIO_DNS_MESSAGE_BYTES);
		if (!piece->size)
			piece->offset = part.offset;
		piece->size += part.size;
		if (part.size < length)
			break;
		bytes -= length;
		b->vector++;
		b->offset = 0;
	}
}

/* An IPv4 address in an IPv6 socket is one of IPv4 on the wire. */
static __always_inline bool is_mapped(const struct in6_addr *address)
{
	return !address->in6_u.u6_addr32[0] && !address->in6_u.u6_addr32[1] &&
	       address->in6_u.u6_addr32[2] == bpf_htonl(0xffff);
}

static __always_inline void socket_addresses(struct tapio_run *run, struct sock *sk,
					     struct tapio_dns_segment *e, __u8 (*own)[16],
					     __u8 (*other)[16])
{
	struct in6_addr theirs __attribute__((aligned(8))) = {};

	e->ip_version = 4;
	if (TAPIO_GET(run, sk, __sk_common.skc_family) == AF_INET6) {
		TAPIO_COPY(run, theirs, sk, __sk_common.skc_v6_daddr);
		if (!is_mapped(&theirs)) {
			e->ip_version = 6;
			TAPIO_COPY(run, *own, sk, __sk_common.skc_v6_rcv_saddr);
			__builtin_memcpy(*other, &theirs, sizeof(theirs));
			return;
		}
	}
	TAPIO_COPY(run, *(__be32 *)own, sk, __sk_common.skc_rcv_saddr);
	TAPIO_COPY(run, *(__be32 *)other, sk, __sk_common.skc_daddr);
}

struct ports {
	__u16 own, other;
};

static __always_inline void read_ports(struct tapio_run *run, struct sock *sk, struct ports *p)
{
	p->own = TAPIO_GET(run, sk, __sk_common.skc_num);
	p->other = bpf_ntohs(TAPIO_GET(run, sk, __sk_common.skc_dport));
}

/* False: none of them is a name server's. */
static __always_inline bool ports_of(struct tapio_run *run, struct sock *sk, struct ports *p)
{
	read_ports(run, sk, p);
	return is_port(p->other) || (served && is_port(p->own));
}

static __always_inline void fill_ends(struct tapio_run *run, struct sock *sk, const struct ports *p,
				      __u8 direction, struct tapio_dns_segment *e)
{
	bool is_sent = direction == TAPIO_DNS_SENT;

	if (is_sent)
		socket_addresses(run, sk, e, &e->source, &e->destination);
	else
		socket_addresses(run, sk, e, &e->destination, &e->source);
	e->source_port = is_sent ? p->own : p->other;
	e->destination_port = is_sent ? p->other : p->own;
	e->direction = direction;
	e->is_sender = is_sent;
	e->network_namespace = TAPIO_GET(run, sk, __sk_common.skc_net.net, ns.inum);
}

static __always_inline void report_socket(struct tapio_run *run, struct sock *sk,
					  const struct ports *p, struct buffers *b, __u32 bytes,
					  __u32 sequence, __u8 direction)
{
	struct tapio_dns_segment *e;

	e = TAPIO_BEGIN_TAIL(run, tapio_dns_segment, TAPIO_DNS_SEGMENT, TAPIO_NORMAL);
	if (!e)
		return;
	fill_ends(run, sk, p, direction, e);
	e->sequence = sequence;
	if (b)
		append_buffers(run, &e->payload, b, bytes);
	else
		e->payload.original = bytes;
	TAPIO_END_TAIL(run, e);
}

/* What a client says first, or that it connects: without a buffer. */
static __always_inline void report_hello(struct tapio_run *run, struct sock *sk,
					 const struct ports *p, __u64 from, __u64 bytes)
{
	struct tapio_dns_segment *e;

	e = TAPIO_BEGIN_TAIL(run, tapio_dns_segment, TAPIO_DNS_HELLO, TAPIO_NORMAL);
	if (!e)
		return;
	fill_ends(run, sk, p, TAPIO_DNS_SENT, e);
	if (from)
		tapio_append_user(run, &e->payload, from, bytes, TAPIO_DNS_MESSAGE_BYTES);
	TAPIO_END_TAIL(run, e);
}

/* Of a socket that sent nothing yet. Libraries of TLS have a record in one buffer: the first one of
 * a vector is enough. */
static __always_inline void look_at_hello(struct tapio_run *run, struct sock *sk,
					  const struct ports *p, struct msghdr___any *msg,
					  __u64 bytes)
{
	const struct iovec___any *vector;
	struct buffers b = {};
	__u8 head[3] = {};
	__u64 from;

	if (TAPIO_GET(run, (struct tcp_sock *)sk, bytes_sent) || !buffers_of(run, msg, &b))
		return;
	from = b.buffer;
	if (!from) {
		vector = b.vector;
		from = (__u64)TAPIO_GET(run, vector, iov_base);
		bytes = TAPIO_GET(run, vector, iov_len) - b.offset;
	}
	TAPIO_READ_USER(run, head, from + b.offset);
	if (begins_tls(&head))
		report_hello(run, sk, p, from + b.offset, bytes);
}

/* Before it is done: on the way back another CPU may have taken the answer already. What the socket
 * has no room for comes again, under the same sequence number. */
TAPIO_FENTRY(tcp_sendmsg, TAPIO_DNS_ON_TCP_SEND, tcp_sent, struct sock *sk,
	     struct msghdr___any *msg, size_t size)
{
	struct buffers b = {};
	struct ports p;
	__u32 sequence;

	if (!size)
		return;
	if (!ports_of(run, sk, &p)) {
		if (is_encrypted_port(p.other))
			look_at_hello(run, sk, &p, msg, size);
		return;
	}
	sequence = TAPIO_GET(run, (struct tcp_sock *)sk, write_seq);
	report_socket(run, sk, &p, buffers_of(run, msg, &b) ? &b : NULL, size, sequence,
		      TAPIO_DNS_SENT);
}

/* It had six arguments until 5.18, with `noblock` before the flags, and has had less since. From
 * 5.17 on a program can ask how many there are, and where the result is. */
static __always_inline void result_of(void *ctx, __u64 *flags, __u64 *got)
{
	const unsigned long long *arguments = ctx;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_arg_cnt)) {
		bpf_get_func_arg(ctx, bpf_get_func_arg_cnt(ctx) == 6 ? 4 : 3, flags);
		bpf_get_func_ret(ctx, got);
	} else {
		*flags = arguments[4];
		*got = arguments[6];
	}
}

TAPIO_FEXIT(tcp_recvmsg, TAPIO_DNS_ON_TCP_RECEIVE, tcp_received, struct sock *sk,
	    struct msghdr___any *msg)
{
	__u64 flags = 0, result = 0;
	struct buffers b = {};
	bool is_readable;
	struct ports p;
	__u32 sequence;
	int got;

	result_of(ctx, &flags, &result);
	got = result;
	if (got <= 0 || flags & (MSG_PEEK | MSG_TRUNC) || !ports_of(run, sk, &p))
		return;
	sequence = TAPIO_GET(run, (struct tcp_sock *)sk, copied_seq) - got;
	is_readable = buffers_of(run, msg, &b) && rewind(run, &b, got);
	report_socket(run, sk, &p, is_readable ? &b : NULL, got, sequence, TAPIO_DNS_RECEIVED);
}

/* In the task that connects. The socket knows the server by now, and its own port not yet. */
static __always_inline void report_connect(struct tapio_run *run, struct sock *sk)
{
	struct ports p;

	read_ports(run, sk, &p);
	if (is_encrypted_port(p.other))
		report_hello(run, sk, &p, 0, 0);
}

/* In an interrupt at times. Of an open one, for the books: nothing is made of it but a count. */
TAPIO_TRACEPOINT(inet_sock_set_state, TAPIO_DNS_ON_TCP_OPEN, tcp_opened, struct sock *sk,
		 int before, int now)
{
	struct tapio_dns_connection *e;
	struct ports p;

	if (connects && now == TCP_SYN_SENT) {
		report_connect(run, sk);
		return;
	}
	if (now != TCP_ESTABLISHED || !ports_of(run, sk, &p))
		return;
	run->bystander = true;
	e = TAPIO_BEGIN(run, tapio_dns_connection, TAPIO_DNS_CONNECTION, TAPIO_BULK, 0);
	if (!e)
		return;
	e->own_port = p.own;
	e->other_port = p.other;
	e->network_namespace = TAPIO_GET(run, sk, __sk_common.skc_net.net, ns.inum);
	TAPIO_END(run, e);
}

#endif
