/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* DNS messages (RFC 1035, section 4), from bytes of strangers. One source for programs and user
 * space: nothing is allocated, every loop has a bound, nothing outside `message` is read. Programs
 * use what looks at the header; names and records are user space's business (ADR 26). */
#ifndef TAPIO_DNS_WIRE_ABI_H
#define TAPIO_DNS_WIRE_ABI_H

#include "bpf/abi.h"

#define TAPIO_DNS_HEADER_BYTES 12

/* Of the header's second word. */
#define TAPIO_DNS_QR 0x8000 /* an answer */
#define TAPIO_DNS_AA 0x0400
#define TAPIO_DNS_TC 0x0200
#define TAPIO_DNS_RD 0x0100
#define TAPIO_DNS_RA 0x0080
#define TAPIO_DNS_AD 0x0020 /* RFC 4035 */
#define TAPIO_DNS_CD 0x0010
#define TAPIO_DNS_OPCODE 0x7800
#define TAPIO_DNS_RCODE 0x000f

#define TAPIO_DNS_NAME_WIRE 255  /* bytes of a name, lengths and end included */
#define TAPIO_DNS_NAME_STEPS 255 /* labels and pointers of one name that are followed */
#define TAPIO_DNS_NAME_TEXT 1022 /* 250 bytes of four labels, four characters each, fit */
#define TAPIO_DNS_POINTER 0xc0

struct tapio_dns_header {
	__u16 id;
	__u16 flags;
	__u16 questions, answers, authorities, additionals; /* as it says; there may be fewer */
};
TAPIO_ABI(tapio_dns_header, 12);

/* A name as master files have it (RFC 1035, section 5.1), without the dot at its end; "." is the
 * root. What is no printable ASCII is \DDD, so a name cannot steer whoever shows it. Case is
 * kept. */
struct tapio_dns_name {
	__u16 size;
	char text[TAPIO_DNS_NAME_TEXT];
};
TAPIO_ABI(tapio_dns_name, 1024);

/* What stands behind a name. A question has no time to live and no data. */
struct tapio_dns_record {
	__u16 type, rr_class;
	__u32 ttl;
	__u32 data; /* offset in the message */
	__u32 size;
};
TAPIO_ABI(tapio_dns_record, 16);

static inline __u16 tapio_dns_u16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static inline __u32 tapio_dns_u32(const __u8 *at)
{
	__u32 high = tapio_dns_u16(at);

	return high << 16 | tapio_dns_u16(at + 2);
}

/* Of a message that has TAPIO_DNS_HEADER_BYTES at least. */
static inline struct tapio_dns_header tapio_dns_read_header(const __u8 *message)
{
	struct tapio_dns_header header;

	header.id = tapio_dns_u16(message);
	header.flags = tapio_dns_u16(message + 2);
	header.questions = tapio_dns_u16(message + 4);
	header.answers = tapio_dns_u16(message + 6);
	header.authorities = tapio_dns_u16(message + 8);
	header.additionals = tapio_dns_u16(message + 10);
	return header;
}

/* An answer that nobody is worried by; others are not to be lost among these. */
static inline bool tapio_dns_is_ordinary(__u16 flags)
{
	return flags & TAPIO_DNS_QR && !(flags & (TAPIO_DNS_TC | TAPIO_DNS_RCODE));
}

static inline void tapio_dns_put(struct tapio_dns_name *name, char c)
{
	if (name->size < TAPIO_DNS_NAME_TEXT)
		name->text[name->size++] = c;
}

static inline void tapio_dns_put_escaped(struct tapio_dns_name *name, __u8 byte)
{
	bool is_printable = byte > 0x20 && byte < 0x7f;

	if (!is_printable || byte == '.' || byte == '\\')
		tapio_dns_put(name, '\\');
	if (is_printable) {
		tapio_dns_put(name, byte);
		return;
	}
	tapio_dns_put(name, '0' + byte / 100);
	tapio_dns_put(name, '0' + byte / 10 % 10);
	tapio_dns_put(name, '0' + byte % 10);
}

static inline void tapio_dns_put_label(struct tapio_dns_name *name, const __u8 *label, __u32 size)
{
	if (name->size)
		tapio_dns_put(name, '.');
	for (__u32 i = 0; i < size; i++)
		tapio_dns_put_escaped(name, label[i]);
}

/* The name that begins at `at`, and where the next thing begins; 0: it is no name, or not whole. A
 * pointer must lead to what stands before all that was read of the name, so there is an end. */
static inline __u32 tapio_dns_read_name(const __u8 *message, __u32 size, __u32 at,
				   struct tapio_dns_name *name)
{
	__u32 behind = 0, begin = at, wire = 1;

	name->size = 0;
	for (int i = 0; i < TAPIO_DNS_NAME_STEPS && at < size; i++) {
		__u32 length = message[at];

		if (length == 0) {
			if (!name->size)
				tapio_dns_put(name, '.');
			return behind ? behind : at + 1;
		}
		if ((length & TAPIO_DNS_POINTER) == TAPIO_DNS_POINTER) {
			if (size - at < 2)
				return 0;
			if (!behind)
				behind = at + 2;
			at = tapio_dns_u16(message + at) & 0x3fff;
			if (at >= begin)
				return 0;
			begin = at;
			continue;
		}
		wire += length + 1;
		if (length & TAPIO_DNS_POINTER || wire > TAPIO_DNS_NAME_WIRE ||
		    size - at - 1 < length)
			return 0;
		tapio_dns_put_label(name, message + at + 1, length);
		at += length + 1;
	}
	return 0;
}

/* A question and its name; where the next thing begins, or 0. */
static inline __u32 tapio_dns_read_question(const __u8 *message, __u32 size, __u32 at,
				       struct tapio_dns_name *name, struct tapio_dns_record *record)
{
	at = tapio_dns_read_name(message, size, at, name);
	if (!at || size - at < 4)
		return 0;
	record->type = tapio_dns_u16(message + at);
	record->rr_class = tapio_dns_u16(message + at + 2);
	record->ttl = 0;
	record->data = at + 4;
	record->size = 0;
	return at + 4;
}

/* A record and its name; where the next one begins, or 0. */
static inline __u32 tapio_dns_read_record(const __u8 *message, __u32 size, __u32 at,
				     struct tapio_dns_name *name, struct tapio_dns_record *record)
{
	at = tapio_dns_read_question(message, size, at, name, record);
	if (!at || size - at < 6)
		return 0;
	record->ttl = tapio_dns_u32(message + at);
	record->data = at + 6;
	record->size = tapio_dns_u16(message + at + 4);
	return size - record->data < record->size ? 0 : record->data + record->size;
}

#endif
