# SPDX-License-Identifier: Apache-2.0
"""Real container runtimes with a root, a state and a socket of their own, an image made here, and an
agent beside them. Nothing is fetched."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

SLOWER = 10 if os.environ.get("TAPIO_EMULATED") else 1  # times, in an emulated machine
APPLETS = ("sh", "echo", "sleep", "true", "false", "cat", "ls", "kill", "dd", "head", "tail")


class Lab(contextlib.ExitStack):
    """What it starts and makes is gone when it is left."""

    def __init__(self):
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="tapio-cri-"))
        self.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.callback(unmount_below, self.directory)
        self.callback(end_shims, self.directory)

    def serve(self, *words, name, **more):
        log = open(self.directory / f"{name}.log", "wb")
        process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, **more)
        self.callback(stop, process)
        return process

    def forget_cgroups(self, word):
        """Those with this word in their path, when it is left."""
        self.callback(subprocess.run,
                      ["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", f"*{word}*",
                       "-exec", "rmdir", "{}", ";"], check=False, stderr=subprocess.DEVNULL)

    def log(self, name):
        return (self.directory / f"{name}.log").read_text(errors="replace")[-3000:]


def stop(process, number=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def own_mounts(lab):
    """A process with mounts of its own, where runtimes may have their shims' sockets."""
    script = ("mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && "
              "echo ready && exec sleep 1000000")
    holder = subprocess.Popen(["unshare", "-m", "--propagation", "slave", "sh", "-c", script],
                              stdout=subprocess.PIPE)
    lab.callback(stop, holder)
    holder.stdout.readline()
    return holder


def end_shims(directory):
    """What a runtime below this directory left behind, when a trial was given up."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if any(str(directory).encode() in word for word in words) and b"shim" in words[0]:
                children = (process / "task" / process.name / "children").read_text().split()
                for pid in (*children, process.name):
                    os.kill(int(pid), signal.SIGKILL)


def unmount_below(directory):
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{directory}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False)


def sh(*words, **more):
    return subprocess.run([str(word) for word in words], check=more.pop("check", True),
                          capture_output=True, text=True, **more)


def wait_until(what, true, seconds=20.0, pause=0.05):
    end = time.monotonic() + seconds * SLOWER
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(pause)
    raise SystemExit(f"FAILED: {what} did not happen in {seconds} s")


def make_image(lab, names):
    """A docker archive with busybox, under these names; its path."""
    root = lab.directory / names[0].translate({ord(c): "-" for c in "/:"})
    (root / "rootfs/bin").mkdir(parents=True)
    (root / "rootfs/name").write_text(names[0])  # no two images are the same
    shutil.copy(shutil.which("busybox"), root / "rootfs/bin/busybox")
    for applet in APPLETS:
        (root / "rootfs/bin" / applet).symlink_to("busybox")
    with tarfile.open(root / "layer.tar", "w") as layer:
        layer.add(root / "rootfs", ".")
    digest = hashlib.sha256((root / "layer.tar").read_bytes()).hexdigest()
    machine = sh("dpkg", "--print-architecture").stdout.strip()
    (root / "config.json").write_text(json.dumps({
        "architecture": machine, "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "1000000"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}))
    (root / "manifest.json").write_text(json.dumps(
        [{"Config": "config.json", "RepoTags": list(names), "Layers": ["layer.tar"]}]))
    with tarfile.open(root / "image.tar", "w") as image:
        for name in ("manifest.json", "config.json", "layer.tar"):
            image.add(root / name, name)
    return root / "image.tar"


class Agent:
    """An agent whose records, all of them, go to a file."""

    ALL = ("observers.process.lifecycle_rate_per_second=0", "observers.container.rate_per_second=0",
           "observers.process.ring=4MiB")

    def __init__(self, lab, sockets, *settings, command=("run",)):
        self.socket = lab.directory / "tapio.sock"
        self.path = lab.directory / "records.json"
        self.log = lab.directory / "agent.log"
        words = [os.environ["TAPIO"], *command, "--socket", self.socket, "-o", "json"]
        for setting in (f"observers.cri.sockets={','.join(str(s) for s in sockets)}",
                        "observers.cri.pause=true", "observers.cri.interval=2s",
                        "sinks.store.enabled=false", *self.ALL, *settings):
            words += ["--set", setting]
        self.process = subprocess.Popen([str(word) for word in words],
                                        stdout=open(self.path, "wb"), stderr=open(self.log, "wb"))
        lab.callback(stop, self.process, signal.SIGINT)
        wait_until("an answer of the agent", self.status)

    def status(self):
        if self.process.poll() is not None:
            raise SystemExit(self.log.read_text())
        answer = sh(os.environ["TAPIO"], "status", "--socket", self.socket, "--json", check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def counters(self):
        """Those of the observer cri."""
        return next(o["counters"] for o in self.status()["observers"] if o["name"] == "cri")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        """Its records, when it has told all of them."""
        stop(self.process, signal.SIGINT)
        return records(self.path)


def records(path):
    """Of containers and runtimes, and of whom a trial has marked: others are at work here too."""
    words = ("container.id", '"name":"cri.', "mark-")
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if any(word in line for word in words)]


def replay(lab, recording):
    """What comes out of a recording."""
    path = lab.directory / "replayed.json"
    with open(path, "wb") as out:
        subprocess.run([os.environ["TAPIO"], "replay", str(recording)], stdout=out, check=True)
    return records(path)


def lives(records, mark):
    """process.exec and process.exit of the processes whose arguments have a word with this mark, by
    that word: what the containers ran, told without what is to be shown."""
    marks, found = {}, {}
    for r in records:
        # Who asks a runtime for it has the word too.
        if r["name"] == "process.exec" and r["process.executable.name"] in APPLETS:
            words = [w for w in r.get("process.command_args", []) if mark in w]
            if words:
                marks[r["tapio.process.id"]] = words[0][words[0].index(mark):].split()[0]
    for r in records:
        if r["name"] in ("process.exec", "process.exit") and r.get("tapio.process.id") in marks:
            found.setdefault(marks[r["tapio.process.id"]], []).append(r)
    return found


def compare(found, expected):
    """How many records there are, and which keys are wrong or missing, of `expected`: by mark, key
    and value."""
    wrong, missing, total, problems = 0, 0, 0, []
    for mark, keys in expected.items():
        if not any(r["name"] == "process.exec" for r in found.get(mark, [])):
            problems.append(f"{mark}: no exec")
        if not any(r["name"] == "process.exit" for r in found.get(mark, [])):
            problems.append(f"{mark}: no exit")
        for r in found.get(mark, []):
            total += 1
            for key, value in keys.items():
                if key not in r:
                    missing += 1
                    problems.append(f"{mark}: {r['name']} without {key}")
                elif r[key] != value:
                    wrong += 1
                    problems.append(f"{mark}: {r['name']}: {key} is {r[key]!r}, not {value!r}")
    print(f"{len(expected)} containers, {total} records of exec and exit, {wrong} names wrong, "
          f"{missing} missing")
    return problems


def print_calls(records):
    worst = {}
    for r in records:
        if r["name"] == "cri.call":
            row = worst.setdefault((r["container.runtime.name"], r["rpc.method"]), [0, 0, 0.0, 0.0])
            row[0] += r["cri.call.count"]
            row[1] += r["cri.call.errors"]
            row[2] = max(row[2], r["cri.call.duration.p50"])
            row[3] = max(row[3], r["cri.call.duration.max"])
    for (runtime, method), (count, errors, p50, longest) in sorted(worst.items()):
        print(f"  {runtime:11} {method:18} {count:5} calls, {errors} failed, p50 at most "
              f"{p50 * 1e3:.2f} ms, max {longest * 1e3:.2f} ms")


def judge(problems):
    """The last line is what ./dev counts."""
    for problem in problems[:20]:
        print(f"FAILED: {problem}")
    if len(problems) > 20:
        print(f"... and {len(problems) - 20} more")
    print("0 passed, 1 failed" if problems else "1 passed, 0 failed")
    sys.exit(1 if problems else 0)
