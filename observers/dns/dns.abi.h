/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#ifndef TAPIO_DNS_ABI_H
#define TAPIO_DNS_ABI_H

#include "bpf/abi.h"

/* Hooks: rows of the ledger. */
enum tapio_dns_hook {
	TAPIO_DNS_ON_SEND,
	TAPIO_DNS_ON_RECEIVE,
	TAPIO_DNS_ON_TCP_SEND,
	TAPIO_DNS_ON_TCP_RECEIVE,
	TAPIO_DNS_ON_TCP_OPEN,
	TAPIO_DNS_ON_CALL,
	TAPIO_DNS_ON_RETURN,
};

#define TAPIO_DNS_DATAGRAM 0x0401
#define TAPIO_DNS_DATAGRAM_VERSION 1
#define TAPIO_DNS_SEGMENT 0x0402
#define TAPIO_DNS_SEGMENT_VERSION 1
#define TAPIO_DNS_CONNECTION 0x0403
#define TAPIO_DNS_CONNECTION_VERSION 1
/* 0x0404: dns_library.abi.h */

/* A struct tapio_dns_segment: what a client of TLS sends first, to a port of encrypted DNS. Without
 * a payload, which no program reads there: that it connects. */
#define TAPIO_DNS_HELLO 0x0405
#define TAPIO_DNS_HELLO_VERSION 1
/* A struct tapio_dns_datagram: the same of QUIC. */
#define TAPIO_DNS_INITIAL 0x0406
#define TAPIO_DNS_INITIAL_VERSION 1

#define TAPIO_DNS_PORTS 8           /* that a name server may have, by configuration */
#define TAPIO_DNS_ENCRYPTED_PORTS 8 /* and one of encrypted DNS */
#define TAPIO_DNS_MESSAGE_BYTES 2047 /* of a message that are kept */
#define TAPIO_DNS_INTERFACE_BYTES 16
#define TAPIO_DNS_INTERFACES 8 /* that may be chosen */

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

/* Bytes of a TCP connection with a name server, in one of its directions, as they left or reached a
 * device, or as a process handed them over or took them: then no device is named. `payload` has the
 * first of them, and says how many there were. */
struct tapio_dns_segment {
	struct tapio_event_header header;
	__u8 source[16], destination[16];
	__u16 source_port, destination_port;
	__u8 ip_version;
	__u8 direction;
	__u8 is_sender;
	__u8 reserved;
	__u32 network_namespace;
	__u32 sequence; /* TCP's, of the first byte */
	char interface[TAPIO_DNS_INTERFACE_BYTES];
	struct tapio_text payload;
};
TAPIO_ABI(tapio_dns_segment, 40 + 32 + 16 + 16 + 8);

/* A TCP connection with a name server is open, at an end that is on this node: to be counted, also
 * where nothing of it can be read. */
struct tapio_dns_connection {
	struct tapio_event_header header;
	__u16 own_port, other_port;
	__u32 network_namespace;
};
TAPIO_ABI(tapio_dns_connection, 40 + 8);

#endif
