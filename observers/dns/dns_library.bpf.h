/* SPDX-License-Identifier: GPL-2.0-only */
/* How long the resolver library takes, beside what passes on the wire: getaddrinfo() of the C
 * library of this node. */
#ifndef TAPIO_DNS_LIBRARY_BPF_H
#define TAPIO_DNS_LIBRARY_BPF_H

#include "bpf/tapio.bpf.h"
#include "bpf/text.bpf.h"
#include "dns.abi.h"
#include "dns_library.abi.h"

struct tapio_dns_call {
	__u64 began_ns;
	__u64 name; /* the caller's memory, that has to stay as it is until the return */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAPIO_DNS_LIBRARY_CALLS);
	__type(key, __u64); /* the task */
	__type(value, struct tapio_dns_call);
} calls SEC(".maps");

TAPIO_UPROBE(libc.so.6:getaddrinfo, TAPIO_DNS_ON_CALL, call, const char *name)
{
	struct tapio_dns_call begun = {.began_ns = bpf_ktime_get_ns(), .name = (__u64)name};
	__u64 task = bpf_get_current_pid_tgid();

	if (name) /* without one nothing is looked up */
		bpf_map_update_elem(&calls, &task, &begun, BPF_ANY);
}

TAPIO_URETPROBE(libc.so.6:getaddrinfo, TAPIO_DNS_ON_RETURN, call, int result)
{
	__u64 task = bpf_get_current_pid_tgid();
	struct tapio_dns_call *found = bpf_map_lookup_elem(&calls, &task);
	struct tapio_dns_call begun;
	struct tapio_dns_library *e;

	if (!found)
		return;
	begun = *found;
	bpf_map_delete_elem(&calls, &task);
	e = TAPIO_BEGIN_TAIL(run, tapio_dns_library, TAPIO_DNS_LIBRARY,
			     result ? TAPIO_NORMAL : TAPIO_BULK);
	if (!e)
		return;
	e->began_ns = begun.began_ns;
	e->result = result;
	tapio_append_user_string(run, &e->name, begun.name, TAPIO_NAME_BYTES);
	TAPIO_END_TAIL(run, e);
}

#endif
