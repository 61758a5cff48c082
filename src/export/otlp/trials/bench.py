# SPDX-License-Identifier: Apache-2.0
"""What the trials share: programs that are stopped by their pid, an agent, a receiver."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PYTHON = "/usr/bin/python3"  # the one that Debian's packages of Python belong to
HERE = Path(__file__).parent
ROOT = HERE.parents[3]
UNPACKED = ROOT / "build" / "unpacked-trixie"
# opentelemetry-proto 1.5 as its authors describe it, and a store that takes OTLP: Debian 12 has neither.
PACKAGES = ("python3-opentelemetry-proto", "victoria-metrics")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what, condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def answers(port, path="/"):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


class Bench:
    """A directory, and programs that are gone at the end."""

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="tapio-otlp-"))
        self.started = []
        subprocess.run([ROOT / "tests/matrix/unpack", "trixie", UNPACKED, *PACKAGES], check=True)
        return self

    def __exit__(self, *_):
        for program in reversed(self.started):
            if program.poll() is None:
                program.send_signal(signal.SIGCONT)
                program.terminate()
                program.wait(timeout=20)
        shutil.rmtree(self.directory)

    def start(self, *command, **options):
        program = subprocess.Popen([str(word) for word in command], **options)
        self.started.append(program)
        return program

    def receiver(self, port, *arguments, name=""):
        """What it gets is in self.directory, or in a directory of that name there."""
        env = dict(os.environ, PYTHONPATH=str(UNPACKED / "usr/lib/python3/dist-packages"))
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        program = self.start(PYTHON, "-B", HERE / "receiver.py", port, directory, *arguments,
                             env=env)
        wait_for("the receiver", lambda: answers(port))
        return program

    def agent(self, *settings, name="agent"):
        agent = Agent(self, settings, name)
        wait_for("the agent", lambda: agent.status() is not None)
        return agent

    def lines(self, name):
        path = self.directory / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


class Agent:
    def __init__(self, bench, settings, name):
        self.tapio = os.environ["TAPIO"]
        self.own = bench.directory / name
        self.own.mkdir()
        self.socket = self.own / "socket"
        words = [word for setting in settings for word in ("--set", setting)]
        self.log = open(self.own / "log", "a", encoding="utf-8")
        self.program = bench.start(
            self.tapio, "run", "--socket", self.socket, "--set", "sinks.store.enabled=false",
            "--set", "sinks.otlp.enabled=true",
            "--set", f"sinks.otlp.spool.path={self.own}/spool/otlp.spool", *words,
            stdout=subprocess.DEVNULL, stderr=self.log)

    def status(self):
        got = subprocess.run([self.tapio, "status", "--json", "--socket", self.socket],
                             capture_output=True, text=True, check=False)
        return json.loads(got.stdout) if got.returncode == 0 else None

    def sink(self):
        return next(sink for sink in self.status()["sinks"] if sink["name"] == "otlp")

    def rss(self):
        with open(f"/proc/{self.program.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def spool_bytes(self):
        return sum(file.stat().st_size for file in (self.own / "spool").iterdir())

    def end(self):
        self.program.send_signal(signal.SIGTERM)
        if self.program.wait(timeout=30) != 0:
            sys.exit(f"the agent ended with {self.program.returncode}")


def judge(problems):
    for problem in problems:
        print("WRONG:", problem)
    print("0 passed, 1 failed" if problems else "1 passed, 0 failed")
    sys.exit(1 if problems else 0)
