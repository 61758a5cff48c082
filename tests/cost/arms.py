# SPDX-License-Identifier: Apache-2.0
"""What a workload is run beside: nothing, floors, Tapio. Peers are in peers.py. An arm can be started
for a round; what runs then takes figures before and after the workload."""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from child import PATIENCE, SETTLED, Absent, Child
from workloads import Workload

UNTRACED, AGAIN = "untraced", "untraced again"
FLOOR, SENDING = "floor", "floor that sends"
DEFAULT, WIDE, WITH_DNS = "tapio", "tapio wide", "tapio with dns"
BEAT = 1.2  # s, longer than the agent's: what it says of its ledger is a second old at most
SETTLE = 6  # s, until what was read is handled and all is in the books

# As the build finds them: folders.
OBSERVERS = sorted(path.parent.name for path in Path(__file__).parents[2].glob("observers/*/*.cpp")
                   if path.stem == path.parent.name)
OPEN = ("observers.process.rate_per_second=0", "observers.process.noise_rate_per_second=0",
        "observers.process.signals=all",
        "observers.process.lifecycle_rate_per_second=0", "observers.process.ring=8MiB",
        "observers.container.rate_per_second=0", "observers.dns.rate_per_second=0",
        "observers.dns.packets_per_second=0", "observers.dns.ring=8MiB")


def alone(observer):
    return tuple(f"observers.{name}.enabled={'true' if name == observer else 'false'}"
                 for name in OBSERVERS)


@dataclass(frozen=True)
class Untraced:
    name: str
    kind = "control"
    how = ()

    def start(self, folder, round_number):
        """As quiet as before the workload of a tracer: a machine that was busy until now is faster."""
        time.sleep(SETTLED)
        return self

    def begin(self):
        pass

    def end(self, operations):
        return {}

    def stop(self):
        pass


@dataclass(frozen=True)
class Floor:
    name: str
    program: str  # the path of tapio_floor
    hooks: tuple
    kind = "floor"

    @property
    def how(self):
        return self.hooks

    def start(self, folder, round_number):
        return RunningFloor(self, folder, round_number)


class RunningFloor:
    def __init__(self, floor, folder, round_number):
        self.child = Child([floor.program, *floor.hooks], folder, f"floor-{round_number}")
        try:
            self.child.wait_until(lambda: self.child.output.stat().st_size > 0, "it is attached")
            self.child.settle()
        except BaseException:
            self.child.stop()
            raise

    def begin(self):
        self.cpu = self.child.cpu_seconds()

    def end(self, operations):
        self.child.must_live()
        figures = {"cpu_seconds": self.child.cpu_seconds() - self.cpu,
                   "rss_bytes": self.child.peak_rss()}
        self.child.stop()
        said = json.loads(self.child.output.read_text().split("\n")[1])
        return {**figures, "reported": said["records"], "lost": said["refused"]}

    def stop(self):
        self.child.stop()

    def programs(self):
        return self.child.programs()


@dataclass(frozen=True)
class Tapio:
    name: str
    program: str
    settings: tuple
    workload: Workload
    kind = "tapio"

    @property
    def how(self):
        return self.settings

    def start(self, folder, round_number):
        return RunningTapio(self, folder, round_number)


class RunningTapio:
    def __init__(self, tapio, folder, round_number):
        self.tapio = tapio
        self.folder = Path(folder, f"tapio-{round_number}")
        self.folder.mkdir()
        self.socket = self.folder / "socket"
        sets = [word for setting in (f"sinks.store.path={self.folder}/tapio.db", *tapio.settings)
                for word in ("--set", setting)]
        self.child = Child([tapio.program, "run", "--socket", self.socket, *sets], self.folder,
                           "agent", stdout=subprocess.DEVNULL)
        try:
            self.child.wait_until(self.is_ready, "its tables are seeded")
            self.child.settle()
        except BaseException:
            self.stop()
            raise

    def is_ready(self):
        status = self.status()
        return status is not None and status["start"]["seeded"]

    def status(self):
        try:
            done = subprocess.run([self.tapio.program, "status", "--json", "--socket", self.socket],
                                  capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        return json.loads(done.stdout) if done.returncode == 0 else None

    def begin(self):
        self.before = self.status()
        if self.before is None:
            raise Absent(f"it does not answer: {self.child.last_words()}")
        self.cpu = self.child.cpu_seconds()

    def end(self, operations):
        self.child.must_live()
        figures = {**self.settled(operations), "cpu_seconds": self.child.cpu_seconds() - self.cpu,
                   "rss_bytes": self.child.peak_rss()}
        figures["ended_well"] = self.child.stop() and self.child.process.returncode == 0
        return figures

    def settled(self, operations):
        """Its account once that closes, or what is wrong with it when the time is over."""
        end = time.monotonic() + SETTLE
        time.sleep(BEAT)
        while True:
            status = self.status()
            if status is None:
                raise Absent(f"it does not answer: {self.child.last_words()}")
            made = account(self.before, status, self.tapio.workload, operations)
            if time.monotonic() > end or is_quiet(status) and made["unaccounted"] == 0:
                return made
            time.sleep(0.2)

    def stop(self):
        self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def programs(self):
        return self.child.programs()


def is_quiet(status):
    ledger = status["ledger"]
    return (ledger["residue"] == 0 and all(row["in_ring"] == 0 for row in ledger["rows"]) and
            all(o["queued"] == o["handled"] for o in ledger["observers"]))


def by_hook(status):
    return {(row["observer"], row["hook"]): row for row in status["ledger"]["rows"]}


def records(status):
    return sum(counts["emitted"] for observer in status["ledger"]["observers"]
               for counts in observer["records"].values())


def losses(status):
    return {" ".join((row["observer"], row["class"], row["stage"], row["reason"])): row["count"]
            for row in status["loss"]}


def account(before, after, workload, operations):
    """`generated` is the records that it would take to tell all. `unaccounted` is what the workload
    made at hooks that are attached and the ledger has nothing of. Other work on the machine can
    hide a loss in it, but makes none."""
    old, new = by_hook(before), by_hook(after)
    attached = {hook["name"] for hook in after["hooks"] if hook["program"]}
    on = {observer["name"] for observer in after["observers"] if observer["state"] == "on"}
    hooks, unseen = {}, 0
    for key, row in new.items():
        grown = {what: row[what] - old.get(key, {}).get(what, 0)
                 for what in ("entered", "emitted", "filtered", "missed", "read")}
        expected = workload.events.get(key[1], 0) * operations if key[1] in attached else 0
        if expected or grown["entered"]:
            unseen += max(0, expected - grown["entered"] - grown["missed"])
            hooks[" ".join(key)] = {"generated": expected, **grown}
    lost = {what: count - losses(before).get(what, 0) for what, count in losses(after).items()}
    return {"generated": workload.records * operations if on.issuperset(workload.observers) else 0,
            "reported": records(after) - records(before), "hooks": hooks,
            "lost": sum(lost.values()), "losses": {k: v for k, v in lost.items() if v},
            "unaccounted": unseen + after["ledger"]["residue"]}


def arms(workload, tools):
    """All but peers, and those only that can show something on this workload."""
    def tapio(name, *settings):
        return Tapio(name, tools.tapio, settings, workload)

    has_dns = "dns" in workload.observers
    made = [Untraced(UNTRACED), Untraced(AGAIN)]
    if workload.observers:
        made.append(Floor(FLOOR, tools.floor, tuple(workload.floor(sending=False))))
    if workload.sends:
        made.append(Floor(SENDING, tools.floor, tuple(workload.floor(sending=True))))
    made.append(tapio(DEFAULT))
    made += [tapio(f"tapio {observer} alone", *alone(observer)) for observer in workload.observers]
    if has_dns:
        made.append(tapio(WITH_DNS, "observers.dns.enabled=true"))
    if workload.observers:
        made.append(tapio(WIDE, *OPEN, *(["observers.dns.enabled=true"] if has_dns else [])))
    return made
