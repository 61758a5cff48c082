# SPDX-License-Identifier: Apache-2.0
"""An agent that holds certain capabilities and no others, for as long as a test lasts."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds; other work runs on this machine


def skip(why):
    print(why)
    sys.exit(SKIPPED)


try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")


def read_yaml(name):
    with open(ROOT / "deploy" / name, encoding="utf-8") as file:
        return yaml.safe_load(file)


def need(*programs):
    """Ends the test, as skipped, where it cannot be made."""
    if os.geteuid() != 0:
        skip("loads programs into the kernel: needs root")
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


def until(met, what):
    end = time.monotonic() + PATIENCE
    while not (found := met()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what() if callable(what) else what}")
        time.sleep(0.2)
    return found


def held(capabilities, user):
    """What setpriv is told, so that a program has these and no others."""
    names = ",".join(["-all", *("+" + name.removeprefix("CAP_").lower() for name in capabilities)])
    words = ["--no-new-privs", "--bounding-set", names, "--inh-caps", names]
    if user == "root":
        return words
    group = subprocess.run(["id", "-g", user], capture_output=True, text=True, check=True).stdout
    return [*words, "--ambient-caps", names, "--reuid", user, "--regid", group.strip(),
            "--clear-groups"]


class Agent:
    """With a directory, a socket and a store of its own. `capabilities` are names; None: root's."""

    def __init__(self, tapio, capabilities=None, user="root", settings=(), configuration=""):
        self.directory = Path(tempfile.mkdtemp(prefix="tapio-deploy-"))
        self.socket = self.directory / "run" / "sock"
        self.tapio = shutil.copy(tapio, self.directory)  # along whose path the user may go
        config = self.directory / "tapio.yaml"
        config.write_text(configuration)
        for folder in ("run", "store"):
            (self.directory / folder).mkdir(mode=0o700)
        for path in (self.directory, *self.directory.iterdir()):
            shutil.chown(path, user)
        options = [f"sinks.store.path={self.directory}/store/tapio.db", *settings]
        self.log = self.directory / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*(["setpriv", *held(capabilities, user)] if capabilities else ()), self.tapio, "run",
                 "--config", config, "--socket", self.socket,
                 *(word for option in options for word in ("--set", option))],
                stdout=subprocess.DEVNULL, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory)

    def status(self):
        """None while it does not answer."""
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.log.read_text()}")
        asked = subprocess.run([self.tapio, "status", "--json", "--socket", self.socket],
                               capture_output=True, text=True)
        return json.loads(asked.stdout) if asked.returncode == 0 else None

    def ready(self):
        """Its status, when it knows what was there before it."""
        def seeded():
            status = self.status()
            return status if status and status["start"]["seeded"] else None
        return until(seeded, "ready")


def unhealthy(status):
    """Observers that were asked for and do not run, with what they say. What a busy machine loses, or
    what the kernel itself lacks, no privilege mends."""
    return {each["name"]: each["why"] for each in status["observers"]
            if each["health"] == "unhealthy"}
