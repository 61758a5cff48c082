/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a connection begins that may carry DNS over TLS, HTTPS or QUIC. What the client says first
 * is for user space to read: programs look at a few bytes. */
#ifndef TAPIO_DNS_ENCRYPTED_BPF_H
#define TAPIO_DNS_ENCRYPTED_BPF_H

#include "bpf/packet.bpf.h"
#include "dns.abi.h"
#include "dns_wire.abi.h"

#define TLS_HANDSHAKE 22        /* RFC 8446, section 5.1 */
#define QUIC_LEAST 1200         /* bytes of a client's first datagrams: RFC 9000, section 14.1 */
#define QUIC_V1 1
#define QUIC_V1_INITIAL 0xc0    /* section 17.2.2, without the bits that are encrypted */
#define QUIC_V2 0x6b3343cf      /* RFC 9369 */
#define QUIC_V2_INITIAL 0xd0

const volatile __u16 encrypted_ports[TAPIO_DNS_ENCRYPTED_PORTS] = {}; /* 0: none */
const volatile __u32 connects = 0; /* no program reads TCP: tell connections as they are opened */

static __always_inline bool is_encrypted_port(__u16 port)
{
#pragma unroll /* 5.10 does not bound a loop whose counter it forgot */
	for (int i = 0; i < TAPIO_DNS_ENCRYPTED_PORTS; i++)
		if (encrypted_ports[i] && encrypted_ports[i] == port)
			return true;
	return false;
}

/* The first bytes of a connection: SSL 3.0 to TLS 1.3. */
static __always_inline bool begins_tls(const __u8 (*head)[3])
{
	return (*head)[0] == TLS_HANDSHAKE && (*head)[1] == 3 && (*head)[2] <= 4;
}

/* A datagram that begins with an Initial packet of a client. */
static __always_inline bool begins_quic(const struct tapio_datagram *d)
{
	const __u8 *head = tapio_udp_head(d);
	__u32 version;

	if (!is_encrypted_port(d->destination_port) || d->linear < QUIC_LEAST)
		return false;
	version = tapio_dns_u32(head + 1);
	if (version == QUIC_V1)
		return (head[0] & 0xf0) == QUIC_V1_INITIAL;
	return version == QUIC_V2 && (head[0] & 0xf0) == QUIC_V2_INITIAL;
}

#endif
