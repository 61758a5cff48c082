# SPDX-License-Identifier: Apache-2.0
"""Where workloads run: network namespaces, servers and devices of their own, gone afterwards."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from child import PATIENCE, Absent, Child, die_with_parent

SENDER, RECEIVER = "10.71.0.1", "10.71.0.2"
DNS_PORT = 53  # the one that observers look at
HTTP_PORT = 7180
NAME = "web.bench.example"
DNSMASQ = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
           "--no-daemon", "--listen-address=127.0.0.1", "--bind-interfaces", "--cache-size=1000",
           f"--port={DNS_PORT}", f"--host-record={NAME},10.9.1.80,fd53::80", "--local=/example/"]
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "as it is\\n"; }} }}
}}
"""


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Absent(f"there is no {name}: its package cannot be had, see build/unpacked.log")
    return found


def run_for(seconds, *command):
    """The output of a command that ends by itself; it has twice the time that it is to take."""
    words, longest = [str(word) for word in command], 2 * seconds + PATIENCE
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=longest,
                              preexec_fn=die_with_parent)
    except subprocess.TimeoutExpired:
        raise Absent(f"{' '.join(words)} did not end within {longest} s") from None
    if done.returncode:
        raise Absent(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


class Loop:
    """One of the loops of loops.c."""

    def __init__(self, tools, name, argument=None, network=None):
        self.command = [*(network.command() if network else []), tools.loops, name]
        self.argument = [argument] if argument else []

    def run(self, count, seconds):
        made = json.loads(run_for(seconds, *self.command, count, seconds, *self.argument))
        return made["operations"], made["ns"]


class Network:
    """A network namespace that lives as long as this object; nothing of it has a name."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            preexec_fn=die_with_parent)
        if self.holder.stdout.readline() != b"ready\n":
            raise Absent("no network namespace can be made here")

    def command(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]

    def run(self, *words):
        return run_for(1, *self.command(), *words)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()


@contextlib.contextmanager
def own_network():
    with Network() as network:
        yield network


@contextlib.contextmanager
def plain(tools, folder, name, argument=None):
    yield Loop(tools, name, argument)


@contextlib.contextmanager
def tcp(tools, folder):
    with own_network() as network:
        yield Loop(tools, "tcp", network=network)


@contextlib.contextmanager
def veth(tools, folder):
    """Two namespaces and a cable; in the other one nobody reads, and packets end at the socket."""
    with own_network() as here, own_network() as there:
        here.run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns",
                 there.holder.pid)
        for network, device, address in ((here, "here", SENDER), (there, "there", RECEIVER)):
            network.run("ip", "address", "add", f"{address}/24", "dev", device)
            network.run("ip", "link", "set", device, "up")
        sink = Child([*there.command(), tools.loops, "sink", RECEIVER], folder, "sink")
        try:
            sink.wait_until(lambda: sink.output.stat().st_size > 0, "the sink is there")
            time.sleep(1)  # addresses of IPv6 are settled
            yield Loop(tools, "packets", RECEIVER, here)
        finally:
            sink.stop()


def figure(text, name):
    found = re.search(rf"{re.escape(name)}:\s+([\d.]+)", text)
    if not found:
        raise Absent(f"no '{name}' in what it said: {text.strip()[-300:]}")
    return float(found[1])


class Dns:
    """One dnsperf, as fast as answers come."""

    def __init__(self, network, folder, dnsperf):
        self.command, self.queries = [*network.command(), dnsperf], Path(folder, "queries")

    def run(self, count, seconds):
        self.queries.write_text(f"{NAME} A\n" * count)
        said = run_for(seconds, *self.command, "-s", "127.0.0.1", "-p", DNS_PORT, "-d",
                       self.queries, "-c", 8, "-q", 64, "-n", 1, "-l", int(max(1, seconds)))
        sent, completed, lasted = (figure(said, what) for what in
                                   ("Queries sent", "Queries completed", "Run time (s)"))
        if completed < sent * 0.99:
            raise Absent(f"dnsmasq answered {completed:.0f} of {sent:.0f} queries only")
        return int(completed), int(lasted * 1e9)


@contextlib.contextmanager
def dns(tools, folder):
    server, client = tool("dnsmasq"), tool("dnsperf")
    with own_network() as network:
        process = Child([*network.command(), server, *DNSMASQ], folder, "dnsmasq")
        try:
            process.wait_until(lambda: "started" in process.errors.read_text(), "dnsmasq answers")
            yield Dns(network, folder, client)
        finally:
            process.stop()


class Http:
    """wrk knows no count; it stops by time, and says how often it had asked."""

    def __init__(self, network, wrk):
        self.command = [*network.command(), wrk]

    def run(self, count, seconds):
        asked_for = max(1, round(count / 50_000))  # whole seconds, at some 50,000 a second
        said = run_for(asked_for, *self.command, "-t", 1, "-c", 16, "-d",
                       f"{min(asked_for, int(max(1, seconds)))}s",
                       f"http://127.0.0.1:{HTTP_PORT}/")
        found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", said)
        if not found or "Non-2xx" in said or "Socket errors" in said:
            raise Absent(f"wrk: {said.strip()[-300:]}")
        unit = {"ms": 1e6, "s": 1e9, "m": 60e9}[found[3]]
        return int(found[1]), int(float(found[2]) * unit)


@contextlib.contextmanager
def http(tools, folder):
    server, client = tool("nginx"), tool("wrk")
    settings = Path(folder, "nginx.conf")
    settings.write_text(NGINX.format(folder=folder, port=HTTP_PORT))
    with own_network() as network:
        process = Child([*network.command(), server, "-e", "stderr", "-p", folder, "-c", settings],
                        folder, "nginx")
        asks = Http(network, client)
        try:
            process.wait_until(lambda: Path(folder, "nginx.pid").exists(), "nginx listens")
            yield asks
        finally:
            process.stop()


@contextlib.contextmanager
def block(tools, folder):
    """The file goes with the folder, and the device with the last of its users, however that ends."""
    file = Path(folder, "device")
    with open(file, "wb") as out:
        out.write(os.urandom(1 << 20) * 64)
        os.fsync(out.fileno())  # nothing of it is written while others read
    made = subprocess.run(["losetup", "--find", "--show", file], capture_output=True, text=True)
    if made.returncode:
        raise Absent(f"no loop device can be had: {made.stderr.strip()}")
    device = made.stdout.strip()
    held = os.open(device, os.O_RDONLY)
    subprocess.run(["losetup", "--detach", device], check=True)
    try:
        yield Loop(tools, "block", device)
    finally:
        os.close(held)
