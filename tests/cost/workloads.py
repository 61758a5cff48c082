# SPDX-License-Identifier: Apache-2.0
"""What is run: each is bounded in operations and in time. A new one is a line of WORKLOADS, and what
it needs to run in is a function of rooms.py."""

import functools
import os
from dataclasses import dataclass, field
from typing import Callable

import rooms

# Programs of the floor that stand for those of an observer, on the same hooks (floor.abi.h).
PROCESS = ("fork", "multiply", "exec", "exit", "death", "generate", "deliver")
DNS = ("packet_sent", "packet_received", "tcp_opened")
HOOKS = {"process": PROCESS, "dns": DNS}


@dataclass(frozen=True)
class Workload:
    name: str
    unit: str
    count: int  # operations; about a second untraced
    room: Callable
    observers: tuple = ()  # that have anything to do with it
    # How often each hook of Tapio runs for one operation, at the least: what is accounted for.
    events: dict = field(default_factory=dict)
    records: int = 0  # of these observers for one operation, where nothing is held back
    # What each floor program sends: bytes, or bytes/N for one run in N. Others only return.
    sends: dict = field(default_factory=dict)

    def floor(self, sending):
        """The arguments of tapio_floor."""
        programs = [program for observer in self.observers for program in HOOKS[observer]]
        return [f"{program}={self.sends[program]}" if sending and program in self.sends else program
                for program in programs]

    def enter(self, tools, folder):
        return self.room(tools, folder)


def loop(name, argument=None):
    return functools.partial(rooms.plain, name=name, argument=argument)


def exec_bytes(path):
    """A tapio_process_exec and the text behind it: file as given, executable, arguments,
    directory."""
    return 40 + 160 + 3 * len(path) + len("0") + len(os.getcwd())


def workloads(exec_chain):
    """In the order in which they run."""
    born = {"fork": 1, "exit": 1, "signal_generate": 1}  # the last one is SIGCHLD
    sends = {"fork": 176, "exit": 168, "generate": 120}
    return [
        Workload("exec", "exec and exit", 10_000, loop("exec", exec_chain), ("process",),
                 {**born, "exec": 1}, 4, {**sends, "exec": exec_bytes(exec_chain)}),
        Workload("fork", "fork and exit", 6_000, loop("fork"), ("process",), born, 3, sends),
        Workload("getppid", "system call", 8_000_000, loop("getppid")),
        Workload("openat", "openat and close", 500_000, loop("openat")),
        Workload("tcp", "connect and close over loopback", 40_000, rooms.tcp, ("dns",)),
        Workload("http", "request, keep-alive over loopback", 100_000, rooms.http, ("dns",)),
        Workload("dns", "lookup at full rate", 150_000, rooms.dns, ("dns",),
                 {"send": 2, "receive": 2}, 1, {"packet_sent": "160/2", "packet_received": "160/2"}),
        Workload("malloc", "malloc and free", 80_000_000, loop("malloc")),
        Workload("faults", "page fault", 1_000_000, loop("faults")),
        Workload("signals", "signal with a handler", 500_000, loop("signals"), ("process",),
                 {"signal_generate": 1, "signal_deliver": 1}, 2, {"generate": 120, "deliver": 64}),
        Workload("pipe", "round trip of two processes", 250_000, loop("pipe")),
        Workload("block", "read of 4 KiB from a loop device", 20_000, rooms.block),
        Workload("veth", "packet", 500_000, rooms.veth, ("dns",), {"send": 1, "receive": 1}),
    ]
