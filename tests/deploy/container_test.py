# SPDX-License-Identifier: Apache-2.0
"""container_test.py TAPIO: the container of the DaemonSet, by containerd and runc and with containerd's
own seccomp profile: what the manifest grants lets the agent become ready, and its probe says so."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from agent import need, read_yaml, unhealthy, until

TAPIO = sys.argv.pop(1)
NAMESPACE = "tapio-deploy"
# What containerd grants when nobody says anything.
USUAL = ("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
         "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT")
POD = read_yaml("kubernetes/daemonset.yaml")["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


def libraries(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for word in listed.split() if word.startswith("/")]


class Containerd:
    """With a root, state and socket of its own."""

    def __init__(self, directory):
        self.socket = directory / "sock"
        config = directory / "config.toml"
        config.write_text(f'version = 2\nroot = "{directory}/root"\nstate = "{directory}/state"\n'
                          'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                          f'[grpc]\n  address = "{self.socket}"\n')
        self.process = subprocess.Popen(["containerd", "-c", config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.ctr("version").returncode == 0, "containerd")

    def ctr(self, *words):
        return subprocess.run(["ctr", "-a", self.socket, "-n", NAMESPACE, *words],
                              capture_output=True, text=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        for cgroup in Path("/sys/fs/cgroup").glob(f"**/{NAMESPACE}"):
            cgroup.rmdir()


class InContainer(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="tapio-deploy-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.containerd = Containerd(self.directory)
        self.addCleanup(self.containerd.stop)

    def root(self):
        """As much of the image as the agent needs."""
        root = self.directory / "rootfs"
        for path in (TAPIO, *libraries(TAPIO)):
            target = root / ("usr/bin/tapio" if path == TAPIO else path.lstrip("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        for mount in CONTAINER["volumeMounts"]:
            (root / mount["mountPath"].lstrip("/")).mkdir(parents=True, exist_ok=True)
        return root

    def mounts(self):
        """Directories of this test in place of the node's, but for the cgroups."""
        for mount in CONTAINER["volumeMounts"]:
            source = self.directory / "mounts" / mount["name"]
            source.mkdir(parents=True)
            if mount["name"] == "config":
                (source / "tapio.yaml").write_text(
                    read_yaml("kubernetes/configmap.yaml")["data"]["tapio.yaml"])
            volume = next(v for v in POD["volumes"] if v["name"] == mount["name"])
            path = volume.get("hostPath", {}).get("path", "")
            source = path if path.startswith("/sys/") else source
            mode = "ro" if mount.get("readOnly") else "rw"
            yield from ("--mount", f"type=bind,src={source},dst={mount['mountPath']},options=rbind:{mode}")

    def options(self):
        security = CONTAINER["securityContext"]
        for name in USUAL:
            yield from ("--cap-drop", f"CAP_{name}")
        for name in security["capabilities"]["add"]:
            yield from ("--cap-add", f"CAP_{name}")
        if security["readOnlyRootFilesystem"]:
            yield "--read-only"
        if security["seccompProfile"]["type"] == "RuntimeDefault":
            yield "--seccomp"
        if POD["hostPID"]:
            yield from ("--with-ns", "pid:/proc/self/ns/pid")
        yield from self.mounts()

    def probe(self, number):
        words = CONTAINER["readinessProbe"]["exec"]["command"]
        return self.containerd.ctr("task", "exec", "--exec-id", f"probe{number}", "tapio", *words)

    def test_it_becomes_ready_and_ends_when_it_is_told_to(self):
        ctr = self.containerd.ctr
        log = self.directory / "agent.log"
        began = ctr("run", "--detach", "--env", "PATH=/usr/bin", "--log-uri", f"file://{log}",
                    *self.options(), "--rootfs", str(self.root()), "tapio", "/usr/bin/tapio",
                    *CONTAINER["args"])
        self.assertEqual(began.returncode, 0, began.stderr)
        self.addCleanup(ctr, "container", "rm", "tapio")
        self.addCleanup(ctr, "task", "rm", "--force", "tapio")
        numbers = iter(range(1000))
        until(lambda: self.probe(next(numbers)).returncode == 0,
              lambda: f"the probe: {self.probe(next(numbers)).stderr} {log.read_text()}")

        asked = ctr("task", "exec", "--exec-id", "status", "tapio", "tapio", "status", "--json")
        status = json.loads(asked.stdout)
        self.assertEqual(unhealthy(status), {})
        self.assertEqual(status["start"]["missing"], [])
        self.assertEqual(status["ledger"]["residue"], 0)
        ctr("task", "kill", "-s", "SIGTERM", "tapio")
        until(lambda: "STOPPED" in ctr("task", "ls").stdout, "its end")
        self.assertTrue((self.directory / "mounts/store/tapio.db").exists())


need("containerd", "runc", "ctr")
unittest.main()
