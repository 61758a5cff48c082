/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The hooks of Tapio's observers, by tracepoint and by the name of the program there. */
#ifndef TAPIO_FLOOR_ABI_H
#define TAPIO_FLOOR_ABI_H

#define FLOOR_RING_BYTES (8 << 20)

#define FLOOR_EACH(one)                       \
	one(sched_process_fork, fork)         \
	one(sched_process_fork, multiply)     \
	one(sched_process_exec, exec)         \
	one(sched_process_exit, exit)         \
	one(sched_process_exit, death)        \
	one(signal_generate, generate)        \
	one(signal_deliver, deliver)          \
	one(net_dev_queue, packet_sent)       \
	one(netif_receive_skb, packet_received)  \
	one(inet_sock_set_state, tcp_opened)

#define FLOOR_INDEX(tracepoint, name) FLOOR_##name,
enum floor_hook { FLOOR_EACH(FLOOR_INDEX) FLOOR_HOOKS };

#endif
