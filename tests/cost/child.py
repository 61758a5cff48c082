# SPDX-License-Identifier: Apache-2.0
"""Processes that the suite starts: each ends with it, whatever happens."""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PATIENCE = 20  # s, for a start and for an end
SETTLED = 0.5  # s in which it does next to nothing: what comes with a start is over
NEXT_TO_NOTHING = 0.05  # of a CPU
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
# Tools look for tracepoints where the kernel shows them. In a mount namespace of their own, so that
# nothing stays mounted.
WITH_TRACEFS = ["unshare", "--mount", "sh", "-c",
                "mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug; "
                "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; "
                'exec "$@"', "sh"]


class Absent(Exception):
    """Something cannot run here; the text says why."""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def cpu_seconds(pid):
    """Of all its threads that live, in nanoseconds' resolution."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return total / 1e9


def peak_rss(pid):
    for line in Path(f"/proc/{pid}/status").read_text().split("\n"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


class Child:
    """A program with its output in files. Its session is its own: Ctrl-C reaches the suite alone."""

    def __init__(self, command, folder, name, **options):
        self.output, self.errors = Path(folder, f"{name}.out"), Path(folder, f"{name}.err")
        with open(self.output, "wb") as out, open(self.errors, "wb") as err:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_parent,
                **{"stdout": out, "stderr": err, **options})
        self.pid = self.process.pid

    def wait_until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.must_live()
            if holds():
                return
            time.sleep(0.02)
        raise Absent(f"after {PATIENCE} s it is still not so that {what}")

    def settle(self):
        """Waits until it has nothing to do; not for ever, for some always have."""
        end = time.monotonic() + PATIENCE
        busy = True
        while busy and time.monotonic() < end:
            self.must_live()
            before = self.cpu_seconds()
            time.sleep(SETTLED)
            busy = self.cpu_seconds() - before > NEXT_TO_NOTHING * SETTLED
        self.must_live()

    def must_live(self):
        if self.process.poll() is not None:
            raise Absent(f"it ended with {self.process.returncode}: {self.last_words()}")

    def last_words(self):
        text = [line for file in (self.errors, self.output)
                for line in file.read_text(errors="replace").split("\n") if line.strip()]
        return "; ".join(text[:3])[:300] or "it said nothing"

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def peak_rss(self):
        return peak_rss(self.pid)

    def files(self):
        """What its file descriptors are, such as anon_inode:bpf_link."""
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                yield os.readlink(entry)
            except FileNotFoundError:
                pass

    def programs(self):
        """Ids of the BPF programs that it holds."""
        found = set()
        for entry in Path(f"/proc/{self.pid}/fdinfo").iterdir():
            try:
                text = entry.read_text()
            except FileNotFoundError:
                continue
            if "prog_tag:" in text:
                found |= {int(line.split()[1]) for line in text.split("\n")
                          if line.startswith("prog_id:")}
        return found

    def stop(self):
        """False: it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        finally:
            if self.process.stdin:
                self.process.stdin.close()
