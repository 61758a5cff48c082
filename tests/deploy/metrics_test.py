# SPDX-License-Identifier: Apache-2.0
"""metrics_test.py TAPIO: the dashboard and the alerts ask for what a live agent exports, by name and by
label, in queries that Prometheus reads."""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request
from pathlib import Path

from agent import ROOT, Agent, need, read_yaml, until

TAPIO = sys.argv.pop(1)
RULES = ROOT / "deploy/prometheus/rules.yaml"
DASHBOARD = ROOT / "deploy/grafana/tapio.json"
CAPABILITIES = ["BPF", "PERFMON", "SYS_PTRACE", "SYSLOG"]
OF_PROMETHEUS = {"instance", "job"}  # labels that the scrape adds
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$", re.M)
SELECTOR = re.compile(r"\b(tapio_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")


class NameServer(threading.Thread):
    """Answers everything with NOERROR and nothing else, over UDP on loopback."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.start()

    def run(self):
        while True:
            question, who = self.socket.recvfrom(512)
            self.socket.sendto(question[:2] + b"\x81\x80" + question[4:], who)

    def ask(self):
        question = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\4test\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(question, self.address)
            client.recv(512)


def die_in_numbers():
    """More deaths at once than one cgroup may have told one by one."""
    children = [subprocess.Popen(["sleep", "1000"]) for _ in range(10)]
    for child in children:
        child.kill()
    for child in children:
        child.wait()


def exported():
    """{metric: names of its labels} of an agent that had something to count of everything."""
    server = NameServer()
    settings = ["http.enabled=true", "http.listen=127.0.0.1:0", "agent.critical_share=1",
                "observers.dns.enabled=true", f"observers.dns.ports={server.address[1]}",
                "observers.dns.health_interval=1s", "observers.usage.interval=2s"]
    with Agent(TAPIO, CAPABILITIES, settings=settings) as agent:
        page = f"http://{agent.ready()['http']['address']}/metrics"

        def complete():
            server.ask()
            die_in_numbers()
            with urllib.request.urlopen(page, timeout=10) as answer:
                text = answer.read().decode()
            wanted = ("tapio_dns_server_", "tapio_dns_latency_", "tapio_process_signal_surplus_total",
                      "tapio_process_usage_", "tapio_cgroup_usage_")
            return text if all("\n" + name in text for name in wanted) else None
        text = until(complete, "metrics of every kind")
    found = {}
    for name, labels in SAMPLE.findall(text):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    # Where there was a loss they have samples, and it is a good machine that has none.
    found.setdefault("tapio_lost_total", set()).update(["observer", "class", "stage", "reason"])
    return found


def alerts():
    groups = read_yaml("prometheus/rules.yaml")["groups"]
    return [(rule["alert"], rule["expr"], "") for group in groups for rule in group["rules"]]


def panels():
    """(title, query, legend) of each query, and those that fill variables."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target["legendFormat"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], re.fullmatch(r"label_values\((.*), (\w+)\)",
                                                 variable["definition"])[1], ""


def plain(query):
    return query.replace("$__rate_interval", "5m").replace("$instance", ".*")


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exported = exported()

    def check_names(self, title, query, legend):
        asked = SELECTOR.findall(GROUPING.sub("", query))
        self.assertTrue(asked or "up{" in query, f"{title}: {query}")
        there = set(OF_PROMETHEUS)
        for metric, matchers in asked:
            self.assertIn(metric, self.exported, f"{title}: no such metric")
            labels = self.exported[metric] | OF_PROMETHEUS
            there |= labels
            for label in MATCHER.findall(matchers):
                self.assertIn(label, labels, f"{title}: {metric} has no such label")
        named = [label.strip() for group in GROUPING.findall(query) for label in group.split(",")]
        for label in [*named, *re.findall(r"\{\{(\w+)\}\}", legend)]:
            # Only of processes in a container, of which this machine may have none.
            self.assertIn(label, there | {"container_id"}, f"{title}: no such label")

    def test_alerts_name_metrics_that_there_are(self):
        for alert in alerts():
            self.check_names(*alert)

    def test_panels_name_metrics_that_there_are(self):
        for panel in panels():
            self.check_names(*panel)

    def test_each_alert_is_tried(self):
        tried = {case["alertname"] for test in read_yaml("prometheus/rules_test.yaml")["tests"]
                 for case in test["alert_rule_test"] if "exp_alerts" in case}
        self.assertEqual(tried, {name for name, _, _ in alerts()})


@unittest.skipUnless(shutil.which("promtool"), "promtool is not here to judge")
class Promtool(unittest.TestCase):
    def judge(self, *arguments):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_reads_the_alerts(self):
        self.judge("check", "rules", RULES)

    def test_sees_alerts_fire_when_they_should(self):
        self.judge("test", "rules", RULES.with_name("rules_test.yaml"))

    def test_reads_the_scrape_configuration(self):
        self.judge("check", "config", "--syntax-only", RULES.with_name("scrape.yaml"))

    def test_reads_the_queries_of_the_dashboard(self):
        rules = [{"record": f"panel:{number}", "expr": plain(query)}
                 for number, (_, query, _) in enumerate(panels())]
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, "panels.yaml")
            file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
            self.judge("check", "rules", file)


need("setpriv")
unittest.main()
