# SPDX-License-Identifier: Apache-2.0
"""Two networks of their own, joined by a cable: clients in one, real name servers in the other."""

import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLIENT = ("10.53.0.2", "fd53::2")
DNSMASQ = ("10.53.0.1", "fd53::1")
UNBOUND = ("10.53.0.4", "fd53::4")
RELAY = ("10.53.0.5", "10.53.0.6")  # the one that is asked, and one that answers in its place
NOBODY = ("10.53.0.9", "10.53.0.10")  # packets arrive there, and nothing comes back

# Settings of an agent that holds nothing back.
ALL = ("observers.dns.rate_per_second=0", "observers.dns.packets_per_second=0")

DNSMASQ_RECORDS = """
no-resolv
no-hosts
bind-interfaces
local=/lab.example/
local=/10.in-addr.arpa/
local-ttl=60
mx-host=lab.example,mail.lab.example,10
mx-host=lab.example,mail2.lab.example,20
host-record=mail.lab.example,10.9.0.25
host-record=web.lab.example,10.9.1.80,fd53::80
cname=www.lab.example,web.lab.example
cname=shop.lab.example,www.lab.example
txt-record=lab.example,"v=spf1 -all","second string"
srv-host=_http._tcp.lab.example,web.lab.example,8080,5,10
address=/slow.example/10.9.9.9
ptr-record=80.1.9.10.in-addr.arpa,web.lab.example
"""

UNBOUND_RECORDS = """
server:
  interface: 10.53.0.4
  interface: fd53::4
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  do-daemonize: no
  username: ""
  chroot: ""
  use-syslog: no
  logfile: ""
  verbosity: 0
  pidfile: ""
  directory: "{directory}"
  module-config: "iterator"
  do-not-query-localhost: no
  num-threads: 1
  edns-buffer-size: 1232
  max-udp-size: 1232
  local-zone: "zone.example." static
  local-data: "zone.example. 300 IN SOA ns.zone.example. admin.zone.example. 7 3600 600 86400 60"
  local-data: "zone.example. 300 IN NS ns.zone.example."
  local-data: "ns.zone.example. 300 IN A 10.53.0.4"
  local-data: "svc.zone.example. 300 IN HTTPS 1 . alpn=h2,h3"
  local-data: "svc.zone.example. 300 IN A 10.9.2.1"
  local-data: "svc.zone.example. 300 IN AAAA fd53::21"
{large}
  local-zone: "refused.example." always_refuse
remote-control:
  control-enable: no
forward-zone:
  name: "broken.example."
  forward-addr: 10.53.0.1
forward-zone:
  name: "slow.example."
  forward-addr: 127.0.0.1@5353
"""


def large_text():
    """More text than fits in an answer over UDP."""
    line = '  local-data: \'large.zone.example. 300 IN TXT "{:03d}{}"\''
    return "\n".join(line.format(i, "x" * 120) for i in range(30))


def sh(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


class Network:
    """A network namespace with file systems of its own, that lives as long as this object."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", "echo ready; exec sleep infinity"],
            stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", *[str(word) for word in words]]

    def run(self, *words, **options):
        return sh(*self.command(*words), **options)

    def start(self, *words, **options):
        return subprocess.Popen(self.command(*words), **options)

    def close(self):
        self.holder.kill()
        self.holder.wait()


class Lab(contextlib.ExitStack):
    """The two networks, and whatever is started in them; all of it ends with the block."""

    def __init__(self):
        super().__init__()
        self.directory = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="tapio-dns.")))
        self.clients, self.servers = Network(), Network()
        self.callback(self.clients.close)
        self.callback(self.servers.close)
        self._join()
        self.ask_by_default([DNSMASQ[0]])

    def _join(self):
        self.clients.run("ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1",
                         "netns", self.servers.holder.pid)
        self._address(self.clients, "cable0", CLIENT)
        self._address(self.servers, "cable1", DNSMASQ + UNBOUND + RELAY)
        mac = json.loads(self.servers.run("ip", "-j", "link", "show", "cable1",
                                          capture_output=True).stdout)[0]["address"]
        for address in NOBODY:
            self.clients.run("ip", "neighbour", "add", address, "lladdr", mac, "dev", "cable0")
        self.servers.run("sysctl", "-qw", "net.ipv4.ip_forward=0")

    @staticmethod
    def _address(network, device, addresses):
        network.run("ip", "link", "set", device, "up")
        for text in addresses:
            address = ipaddress.ip_address(text)
            network.run("ip", "address", "add", f"{address}/{24 if address.version == 4 else 64}",
                        "dev", device, *(["nodad"] if address.version == 6 else []))

    def ask_by_default(self, servers, *options):
        """What libraries in the network of clients ask."""
        path = self.directory / "resolv.conf"
        lines = [f"nameserver {server}" for server in servers] + list(options)
        path.write_text("\n".join(lines) + "\n")
        if not getattr(self, "_bound", False):
            self.clients.run("mount", "--bind", path, os.path.realpath("/etc/resolv.conf"))
            self._bound = True

    def serve(self, *words):
        log = open(self.directory / f"{Path(words[0]).name}.log", "wb")
        server = self.servers.start(*words, stdout=log, stderr=log)
        self.callback(stop, server)
        return server

    def start_dnsmasq(self):
        path = self.directory / "dnsmasq.conf"
        path.write_text(DNSMASQ_RECORDS + "".join(f"listen-address={a}\n" for a in DNSMASQ) +
                        "".join(f"host-record=h{i}.lab.example,10.9.3.{i},fd53::3:{i}\n"
                                for i in range(1, 101)))
        self.serve("dnsmasq", "--no-daemon", "--user=root", f"--conf-file={path}")
        self.wait_for(DNSMASQ[0], "web.lab.example")

    def start_unbound(self, more=""):
        path = self.directory / "unbound.conf"
        path.write_text(UNBOUND_RECORDS.format(directory=self.directory, large=large_text()) + more)
        self.serve("unbound", "-d", "-c", path)
        self.wait_for(UNBOUND[0], "ns.zone.example")

    def start_relay(self, *options):
        """Passes queries on to dnsmasq, with a fault."""
        return self.serve(sys.executable, Path(__file__).with_name("relay.py"), *options)

    def wait_for(self, server, name):
        for _ in range(100):
            if self.dig("+short", "+time=1", "+tries=1", f"@{server}", name).stdout.strip():
                return
            time.sleep(0.1)
        raise SystemExit(f"{server} does not answer; see {self.directory}")

    def dig(self, *words):
        return subprocess.run(self.clients.command("dig", *words), capture_output=True, text=True,
                              check=False)


def stop(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
    process.wait()


class Agent:
    """An agent with the observer `dns`, whose records go to a file."""

    def __init__(self, lab, *settings, command=("run",)):
        self.socket = lab.directory / "socket"
        self.path = lab.directory / "records.json"
        words = [tapio(), *command, "--socket", self.socket, "-o", "json"]
        for setting in ("observers.dns.enabled=true", "sinks.store.enabled=false", *settings):
            words += ["--set", setting]
        self.process = subprocess.Popen([str(word) for word in words],
                                        stdout=open(self.path, "wb"), stderr=subprocess.PIPE)
        lab.callback(stop, self.process)
        for _ in range(100):
            if self.process.poll() is not None:
                raise SystemExit(self.process.stderr.read().decode())
            if self.status():
                return
            time.sleep(0.1)
        raise SystemExit("the agent does not answer")

    def status(self):
        answer = subprocess.run([tapio(), "status", "--socket", str(self.socket), "--json"],
                                capture_output=True, check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        """Its records, when it has told all of them."""
        stop(self.process, signal.SIGINT)
        return records(self.path)


def records(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def tapio():
    return os.environ["TAPIO"]


def is_finding(record):
    """Of the lab: what else goes on at this machine is none of its business."""
    server = record.get("server.address", CLIENT[0])
    return (record["type"] == "finding" and record["name"].startswith("dns.") and
            server.startswith(("10.53.0.", "fd53::")))


def judge(problems):
    """The last line is what ./dev counts."""
    for problem in problems[:20]:
        print(f"FAILED: {problem}")
    if len(problems) > 20:
        print(f"... and {len(problems) - 20} more")
    print("0 passed, 1 failed" if problems else "1 passed, 0 failed")
    sys.exit(1 if problems else 0)
