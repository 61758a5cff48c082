# SPDX-License-Identifier: Apache-2.0
"""Runs loads in cgroups beside an agent, and says what it told of them."""

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import loads

SETTLES = 3  # seconds that the agent gets to read what has ended


class Cgroup:
    """With a limit of memory, below one of this trial's own; v1 or v2."""

    def __init__(self, root, name, v2):
        self.directory, self.v2 = root / name, v2
        self.directory.mkdir()
        self.path = f"/{root.name}/{name}"
        limit = str(loads.LIMIT)
        (self.directory / ("memory.max" if v2 else "memory.limit_in_bytes")).write_text(limit)
        with contextlib.suppress(OSError):  # without accounting of swap there is no such file
            if v2:
                (self.directory / "memory.swap.max").write_text("0")
            else:
                (self.directory / "memory.memsw.limit_in_bytes").write_text(limit)

    def _number(self, file):
        return int((self.directory / file).read_text())

    def _keys(self, file):
        lines = (self.directory / file).read_text().splitlines()
        return {line.split()[0]: int(line.split()[1]) for line in lines}

    def usage(self):
        return self._number("memory.current" if self.v2 else "memory.usage_in_bytes")

    def reading(self):
        """usage, what can be given back, and how many were killed."""
        stat = self._keys("memory.stat")
        if self.v2:
            back = stat["inactive_file"] + stat["active_file"] + stat.get("slab_reclaimable", 0)
            kills = self._keys("memory.events")["oom_kill"]
        else:
            back = stat["total_inactive_file"] + stat["total_active_file"]
            kills = self._keys("memory.oom_control")["oom_kill"]
        return self.usage(), back, kills

    def remove(self):
        for pid in (self.directory / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.directory.rmdir()
                return
            time.sleep(0.05)


class Run:
    """One load, while it runs and afterwards."""

    def __init__(self, load, cgroup):
        self.kind, self.seconds, self.to_be_killed = load.kind, load.seconds, load.to_be_killed
        self.cgroup = cgroup
        self.killed = None  # when
        self.predictions = []
        self.readings = []
        self.pid = os.fork()
        if self.pid == 0:
            self._be(load)

    def _be(self, load):
        try:
            (self.cgroup.directory / "cgroup.procs").write_text(str(os.getpid()))
            load.run(self.cgroup)
        finally:
            os._exit(0)

    def has_ended(self):
        if self.pid:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                    self.killed = time.time()
        return not self.pid

    @property
    def ahead(self):
        """Of the last prediction before the kill."""
        if self.killed is None or not self.predictions:
            return None
        return self.killed - self.predictions[0].time

    @property
    def false(self):
        return 0 if self.killed is not None else len(self.predictions)

    def write(self, path):
        """Lines of: milliseconds, usage, what can be given back, processes killed so far."""
        begin = self.readings[0][0]
        lines = [f"# {self.kind}; limit {loads.LIMIT}; " +
                 (f"killed at {self.killed - begin:.1f} s" if self.killed else "not killed")]
        lines += [f"{(t - begin) * 1000:.0f} {usage} {back} {kills}"
                  for t, usage, back, kills in self.readings]
        path.write_text("\n".join(lines) + "\n")


class Prediction:
    def __init__(self, record, killed):
        self.time = datetime.datetime.fromisoformat(record["time"][:26]).replace(
            tzinfo=datetime.timezone.utc).timestamp()
        self.left, self.earliest, self.latest = (
            record["container.memory." + key]
            for key in ("left", "left.earliest", "left.latest"))
        self.came = killed - self.time if killed is not None else None


class Bench(contextlib.ExitStack):
    def __init__(self, record):
        super().__init__()
        self.record = Path(record) if record else None
        self.work = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="tapio-forecast.")))
        v1 = Path("/sys/fs/cgroup/memory")
        self.v2 = not v1.is_dir()
        mount = Path("/sys/fs/cgroup") if self.v2 else v1
        self.root = mount / f"tapio-forecast-{os.getpid()}"
        if self.v2:
            with contextlib.suppress(OSError):
                (mount / "cgroup.subtree_control").write_text("+memory")
        self.root.mkdir()
        self.callback(self._remove_root)
        if self.v2:
            (self.root / "cgroup.subtree_control").write_text("+memory")
        self._start_agent()

    def _remove_root(self):
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.root.rmdir()
                return
            time.sleep(0.05)

    def _start_agent(self):
        self.socket, self.path = self.work / "socket", self.work / "records.json"
        words = [os.environ["TAPIO"], "run", "--socket", self.socket, "-o", "json"]
        for setting in ("sinks.store.enabled=false", "observers.container.enabled=true",
                        f"sinks.store.path={self.work}/tapio.db"):
            words += ["--set", setting]
        # pylint: disable=consider-using-with
        self.agent = subprocess.Popen([str(word) for word in words],
                                      stdout=open(self.path, "wb"), stderr=subprocess.PIPE)
        self.callback(self._stop)
        for _ in range(100):
            if self.agent.poll() is not None:
                raise SystemExit(self.agent.stderr.read().decode())
            if self.status():
                return
            time.sleep(0.1)
        raise SystemExit("the agent does not answer")

    def _stop(self):
        if self.agent.poll() is None:
            self.agent.send_signal(signal.SIGINT)
        self.agent.wait()

    def status(self):
        answer = subprocess.run([os.environ["TAPIO"], "status", "--socket", self.socket, "--json"],
                                capture_output=True, check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def run(self, wave):
        """All of it at the same time, till each has ended."""
        runs, number = [], getattr(self, "_number", 0)
        for load in wave:
            runs.append(Run(load, Cgroup(self.root, f"{number}", self.v2)))
            number += 1
        self._number = number
        print(f"{len(runs)} at a time", file=sys.stderr, flush=True)
        next_reading = time.time()
        while not all([run.has_ended() for run in runs]):
            if time.time() >= next_reading:
                next_reading += 1
                for run in runs:
                    if run.pid:
                        run.readings.append((time.time(), *run.cgroup.reading()))
            time.sleep(0.05)
        time.sleep(SETTLES)
        records = [json.loads(line) for line in self.path.read_text().splitlines()]
        for run in runs:
            run.predictions = [Prediction(r, run.killed) for r in records
                               if r["name"] == "container.memory.oom_predicted" and
                               r["tapio.cgroup.path"] == run.cgroup.path]
            if self.record and run.readings:
                name = run.kind.replace(",", "").replace(" ", "_")
                run.write(self.record / f"{name}_{run.cgroup.directory.name}")
            run.cgroup.remove()
        return runs

    def end(self):
        """The residue of the agent's books."""
        residue = self.status()["ledger"]["residue"]
        self._stop()
        return residue


