/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TAPIO_DNS_ABI_H
#define TAPIO_DNS_ABI_H

#include "bpf/abi.h"

/* Hooks: rows of the ledger. */
enum tapio_dns_hook {
	TAPIO_DNS_ON_SEND,
	TAPIO_DNS_ON_RECEIVE,
};

#define TAPIO_DNS_DATAGRAM 0x0401
#define TAPIO_DNS_DATAGRAM_VERSION 1

#define TAPIO_DNS_PORTS 8           /* that a name server may have, by configuration */
#define TAPIO_DNS_MESSAGE_BYTES 2047 /* of a message that are kept */
#define TAPIO_DNS_INTERFACE_BYTES 16

enum tapio_dns_direction { TAPIO_DNS_SENT, TAPIO_DNS_RECEIVED };

/* A DNS message that left or reached a device of this node. The header names the task that ran: who
 * sent it, when `is_sender`; otherwise a bystander. The message follows, as far as it was in one
 * piece. */
struct tapio_dns_datagram {
	struct tapio_event_header header;
	__u8 source[16], destination[16]; /* IPv4: the first four bytes */
	__u16 source_port, destination_port;
	__u8 ip_version; /* 4 or 6 */
	__u8 direction;
	__u8 is_sender;
	__u8 reserved;
	__u32 network_namespace; /* of the device: inode number */
	__u32 interface_index;
	char interface[TAPIO_DNS_INTERFACE_BYTES];
	struct tapio_text message;
};
TAPIO_ABI(tapio_dns_datagram, 40 + 32 + 16 + 16 + 8);

#endif
