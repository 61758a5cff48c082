# SPDX-License-Identifier: Apache-2.0
"""What the measurements of whole agents share: an agent of their own, room for processes, rows."""

import json
import os
import signal
import subprocess
import sys
import time

PID_MAX = "/proc/sys/kernel/pid_max"
PATIENCE = 300  # s, for each thing that is waited for
NAME = os.path.basename(sys.argv[0])


def lines(path):
    with open(path, encoding="ascii") as file:
        return file.read().split("\n")


def check_memory(wanted, bytes_each):
    available = next(int(line.split()[1]) << 10 for line in lines("/proc/meminfo")
                     if line.startswith("MemAvailable"))
    if available < wanted * bytes_each:
        sys.exit(f"{NAME}: {wanted:,} of them want about {wanted * bytes_each >> 20:,} MiB, and "
                 f"{available >> 20:,} MiB are free; give a smaller number")


class Room:
    """In the table of pids, as long as it is needed."""

    def __init__(self, wanted):
        self.before = int(lines(PID_MAX)[0])
        self.wanted = max(self.before, wanted * 5 // 4 + 32768)

    def __enter__(self):
        self.set(self.wanted)

    def __exit__(self, *_):
        self.set(self.before)

    @staticmethod
    def set(value):
        with open(PID_MAX, "w", encoding="ascii") as file:
            file.write(str(value))


class Agent:
    def __init__(self, tapio, folder, *settings):
        self.tapio, self.socket = tapio, f"{folder}/socket"
        self.log = open(f"{folder}/log", "wb")
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [tapio, "run", "--socket", self.socket, "--set", f"sinks.store.path={folder}/tapio.db",
             *(word for setting in settings for word in ("--set", setting))],
            stdout=subprocess.DEVNULL, stderr=self.log)

    def status(self):
        done = subprocess.run([self.tapio, "status", "--json", "--socket", self.socket],
                              capture_output=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_until(self, holds, what):
        """The status, and the seconds since the agent was started."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status = self.status()
            if status and holds(status):
                return status, time.monotonic() - self.begun
            if self.process.poll() is not None:
                sys.exit(f"{NAME}: the agent ended with {self.process.returncode}\n{self.said()}")
            time.sleep(0.1)
        sys.exit(f"{NAME}: after {PATIENCE} s it is still not so that {what}")

    def said(self):
        return "\n".join(lines(self.log.name)[-10:])

    def cpu(self):
        ticks = lines(f"/proc/{self.process.pid}/stat")[0].rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / 100

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.log.close()
        return self.process.returncode


def row(name, value, unit):
    print(f"{name:<44}{value:>12} {unit}", flush=True)


def memory(name, status):
    row(name, f"{status['memory']['rss_bytes'] / 1e6:.1f}", "MB")


def lost(status):
    return sum(entry["count"] for entry in status["loss"])
