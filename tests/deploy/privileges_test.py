# SPDX-License-Identifier: Apache-2.0
"""privileges_test.py TAPIO: what the unit and the DaemonSet grant is enough on this kernel, and does
what root can do."""

import configparser
import subprocess
import sys
import unittest

from agent import ROOT, Agent, need, read_yaml, unhealthy, until

TAPIO = sys.argv.pop(1)
EVERYTHING = ["observers.dns.enabled=true"]  # observers.dns.library wants CAP_SYS_ADMIN


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(ROOT / "deploy/systemd/tapio.service")
    return parser["Service"]


def container():
    return read_yaml("kubernetes/daemonset.yaml")["spec"]["template"]["spec"]["containers"][0]


def configuration():
    return read_yaml("kubernetes/configmap.yaml")["data"]["tapio.yaml"]


def programs(status):
    """What serves each hook: a privilege that is missing shows as another one, or none."""
    return {(hook["observer"], hook["name"]): hook["program"] for hook in status["hooks"]}


class Privileges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Agent(TAPIO, settings=EVERYTHING) as root:
            cls.with_all = programs(root.ready())

    def check(self, agent):
        status = agent.ready()
        self.assertEqual(unhealthy(status), {})
        return status

    def test_the_unit_holds_in_ambient_what_it_bounds(self):
        self.assertEqual(unit()["CapabilityBoundingSet"], unit()["AmbientCapabilities"])

    def test_a_user_with_the_units_capabilities_loads_what_root_loads(self):
        with Agent(TAPIO, unit()["AmbientCapabilities"].split(), "nobody", EVERYTHING) as agent:
            self.assertEqual(programs(self.check(agent)), self.with_all)

    def test_root_with_the_containers_capabilities_and_its_file_loads_what_root_loads(self):
        capabilities = container()["securityContext"]["capabilities"]
        self.assertEqual(capabilities["drop"], ["ALL"])
        with Agent(TAPIO, capabilities["add"], settings=EVERYTHING,
                   configuration=configuration()) as agent:
            self.assertEqual(programs(self.check(agent)), self.with_all)

    def test_the_program_of_another_users_process_from_before_is_known(self):
        elder = subprocess.Popen(["setpriv", "--reuid", "daemon", "--clear-groups", "sleep", "1000"])
        try:
            with Agent(TAPIO, unit()["AmbientCapabilities"].split(), "nobody") as agent:
                self.check(agent)
                elder.kill()
                until(lambda: "/sleep" in self.end_of(agent, elder.pid), "its end with its program")
        finally:
            elder.kill()
            elder.wait()

    def end_of(self, agent, pid):
        query = f'select * from "process.exit" where "process.pid" = {pid}'
        return subprocess.run([TAPIO, "query", "--store", agent.directory / "store/tapio.db", "-o",
                               "lines", query], capture_output=True, text=True).stdout


need("setpriv")
unittest.main()
