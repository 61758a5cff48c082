# SPDX-License-Identifier: Apache-2.0
"""Other tools, from packages of Debian, and what they are to be asked for. A new one is a line of
PEERS: the workload, and a Peer."""

import re
import subprocess
import time
from dataclasses import dataclass

import rooms
from child import WITH_TRACEFS, Child

QUIET = 0.3  # s without output: it has caught up
CATCH_UP = 15  # s, at most
ATTACHED = re.compile(r"anon_inode:(?:\[perf_event\]|bpf_link)|/dev/scap\d+")
# What they say of losses themselves.
LOST = re.compile(r"[Ll]ost (\d+) events|LOST (\d+) events|drops?[:=] ?(\d+)")


@dataclass(frozen=True)
class Peer:
    name: str
    command: tuple
    counts: str  # of its output; what it matches is one event, or its first group is how many
    per_operation: float = 1  # events
    same_facts: bool = False  # a line for each event, of which Tapio makes a record
    kind = "peer"

    @property
    def how(self):
        return self.command

    def start(self, folder, round_number):
        return Running(self, folder, round_number)


class Running:
    def __init__(self, peer, folder, round_number):
        self.peer = peer
        name = re.sub(r"\W+", "-", f"{peer.name}-{round_number}")
        rooms.tool(peer.command[0])
        self.child = Child([*WITH_TRACEFS, *peer.command], folder, name,
                           stderr=subprocess.STDOUT)  # where perf writes
        try:
            self.child.wait_until(lambda: any(ATTACHED.match(file) for file in self.child.files()),
                                  "it is attached")
            self.child.settle()
        except BaseException:
            self.child.stop()
            raise

    def begin(self):
        self.cpu = self.child.cpu_seconds()

    def end(self, operations):
        self.child.must_live()
        self.catch_up()
        self.child.must_live()
        figures = {"cpu_seconds": self.child.cpu_seconds() - self.cpu,
                   "rss_bytes": self.child.peak_rss()}
        figures["ended_well"] = self.child.stop()
        text = self.child.output.read_text(errors="replace")
        self.child.output.unlink()
        return {**figures, **reported(text, self.peer, operations)}

    def catch_up(self):
        end, before = time.monotonic() + CATCH_UP, -1
        while time.monotonic() < end and self.child.output.stat().st_size != before:
            before = self.child.output.stat().st_size
            time.sleep(QUIET)

    def stop(self):
        self.child.stop()

    def programs(self):
        return self.child.programs()


def reported(text, peer, operations):
    found = re.findall(peer.counts, text, re.M)
    if re.compile(peer.counts).groups:
        count = sum(int(number) for number in found)
    else:
        count = len(found)
    generated = round(operations * peer.per_operation)
    told = sum(int(number) for match in LOST.findall(text) for number in match if number)
    lost = max(0, generated - count)
    return {"generated": generated, "reported": count, "lost": lost,
            "unaccounted": max(0, lost - told)}


# perf sometimes goes on with the name that a process had before its exec.
BY_US = r"\b(?:loops|python3|nsenter)/\d+ "


def count_by_bpftrace(*tracepoints, per_operation=1.0, comm=None):
    where = f'/comm == "{comm}"/ ' if comm else ""
    program = " ".join(f"tracepoint:{point} {where}{{ @ = count(); }}" for point in tracepoints)
    return Peer("bpftrace count", ("bpftrace", "-e", program), r"^@: (\d+)", per_operation)


def print_by_bpftrace(tracepoint, text, counts, **more):
    return Peer("bpftrace printf", ("bpftrace", "-e", f"tracepoint:{tracepoint} {{ printf({text}); }}"),
                counts, **more)


def trace_by_perf(*options, counts, **more):
    return Peer("perf trace", ("perf", "trace", "-a", *options), counts, **more)


def sysdig(events, counts, **more):
    return Peer("sysdig", ("sysdig", "-p", "%evt.type %proc.name", f"evt.type in ({events})"),
                counts, **more)


PEERS = {
    "exec": [
        count_by_bpftrace("sched:sched_process_exec"),
        print_by_bpftrace("sched:sched_process_exec", r'"exec %d %s %s\n", pid, comm, str(args->filename)',
                          r"^exec \d+ exec_chain", same_facts=True),
        Peer("execsnoop", ("execsnoop",), r"^exec_chain\s", same_facts=True),
        Peer("exitsnoop", ("exitsnoop",), r"^exec_chain\s", same_facts=True),
        trace_by_perf("-e", "execve", counts=r"(?:loops|exec_chain|python3)/\d+ .*execve\(.* = 0$",
                      same_facts=True),
        sysdig("execve", r"^execve exec_chain", same_facts=True),
    ],
    "fork": [
        count_by_bpftrace("sched:sched_process_fork", comm="loops"),
        print_by_bpftrace("sched:sched_process_fork", r'"fork %d %s %d\n", pid, comm, args->child_pid',
                          r"^fork \d+ loops", same_facts=True),
        Peer("exitsnoop", ("exitsnoop",), r"^loops\s", same_facts=True),
        trace_by_perf("-e", "clone", counts=BY_US + r"clone\(", same_facts=True),
        sysdig("clone", r"^clone loops", same_facts=True),
    ],
    "getppid": [
        Peer("syscount", ("syscount",), r"^getppid\s+(\d+)"),
        trace_by_perf("-e", "getppid", counts=r"\bgetppid\("),
        sysdig("getppid", r"^getppid loops"),
    ],
    "openat": [
        count_by_bpftrace("syscalls:sys_enter_openat", comm="loops"),
        print_by_bpftrace("syscalls:sys_enter_openat", r'"open %s %s\n", comm, str(args->filename)',
                          r"^open loops /dev/null"),
        Peer("opensnoop", ("opensnoop",), r"\bloops\s.*/dev/null"),
        trace_by_perf("-e", "openat", counts=BY_US + r"openat\("),
        sysdig("openat", r"^openat loops"),
    ],
    "tcp": [
        count_by_bpftrace("sock:inet_sock_set_state", per_operation=10),
        print_by_bpftrace("sock:inet_sock_set_state",
                          r'"state %s %d %d\n", comm, args->oldstate, args->newstate',
                          r"^state ", per_operation=10),
        Peer("tcplife", ("tcplife",), r"\bloops\s.*127\.0\.0\.1", per_operation=2),
        Peer("tcpstates", ("tcpstates",), r"127\.0\.0\.1.*->", per_operation=10),
        trace_by_perf("-e", "connect", counts=BY_US + r"connect\("),
        sysdig("connect", r"^connect loops", per_operation=2),
    ],
    "http": [
        count_by_bpftrace("net:net_dev_queue", per_operation=2),
        Peer("tcplife", ("tcplife",), r"\bnginx\s", per_operation=0),
        sysdig("read,write,recvfrom,writev", r"nginx", per_operation=4),
    ],
    "dns": [
        count_by_bpftrace("net:net_dev_queue", per_operation=2),
        trace_by_perf("--no-syscalls", "-e", "net:net_dev_queue",
                      counts=r"net:net_dev_queue", per_operation=2),
        sysdig("sendto,recvfrom,sendmsg,recvmsg", r"dnsmasq|dnsperf", per_operation=8),
    ],
    "malloc": [sysdig("brk,mmap", r"^(?:brk|mmap) loops", per_operation=0)],
    "faults": [
        count_by_bpftrace("exceptions:page_fault_user", comm="loops"),
        sysdig("page_fault", r"^page_fault loops"),
    ],
    "signals": [
        count_by_bpftrace("signal:signal_generate", comm="loops"),
        print_by_bpftrace("signal:signal_generate", r'"signal %d %s %d\n", pid, comm, args->sig',
                          r"^signal \d+ loops 10", same_facts=True),
        Peer("sigsnoop", ("sigsnoop",), r"\bloops\s+10\s", same_facts=True),
        trace_by_perf("--no-syscalls", "-e", "signal:signal_generate",
                      counts=r"signal:signal_generate", same_facts=True),
        sysdig("kill", r"^kill loops", same_facts=True),
    ],
    "pipe": [
        count_by_bpftrace("sched:sched_switch", per_operation=2),
        Peer("runqlat", ("runqlat",), r"\d+ -> \d+\s+: (\d+)\s", per_operation=2),
        sysdig("switch", r"^switch loops", per_operation=2),
    ],
    "block": [
        count_by_bpftrace("block:block_rq_issue"),
        Peer("biosnoop", ("biosnoop",), r"\bloop\d+\s"),
        Peer("biolatency", ("biolatency",), r"\d+ -> \d+\s+: (\d+)\s"),
        sysdig("pread", r"^pread loops"),
    ],
    "veth": [
        count_by_bpftrace("net:net_dev_queue", "net:netif_receive_skb", per_operation=2),
        trace_by_perf("--no-syscalls", "-e", "net:netif_receive_skb",
                      counts=r"net:netif_receive_skb"),
        sysdig("sendto", r"^sendto loops"),
    ],
}
