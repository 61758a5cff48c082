# SPDX-License-Identifier: Apache-2.0
"""A containerd of one's own."""

import subprocess

import lab

IMAGE = "docker.io/tapio/busybox:1"
CONFIG = """
version = 2
root = "{directory}/root"
state = "{directory}/state"
[grpc]
  address = "{directory}/sock"
[ttrpc]
  address = "{directory}/ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_cgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{directory}/cni"
    conf_dir = "{directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
"""


class Containerd:
    """In a mount namespace of its own, so that its shims' sockets are too."""

    def __init__(self, bench):
        self.bench = bench
        self.directory = bench.directory / "containerd"
        self.directory.mkdir()
        self.socket = self.directory / "sock"
        (self.directory / "config.toml").write_text(
            CONFIG.format(directory=self.directory, image=IMAGE))
        self.mounts = lab.own_mounts(bench)
        self.start()
        self.ctr("images", "import", "--no-unpack", lab.make_image(bench, [IMAGE]))
        lab.wait_until("an image in CRI's list", self.has_image)

    def start(self):
        self.process = self.bench.serve("nsenter", "-t", self.mounts.pid, "-m", "containerd", "-c",
                                        self.directory / "config.toml", name="containerd")
        lab.wait_until("an answer of containerd", lambda: self.ctr("version", check=False) == 0)

    def stop(self):
        lab.stop(self.process)

    def ctr(self, *words, check=True):
        return subprocess.run(["ctr", "-a", str(self.socket), "-n", "k8s.io",
                               *(str(word) for word in words)], check=check,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def has_image(self):
        listed = lab.sh("ctr", "-a", self.socket, "-n", "k8s.io", "images", "ls", "-q")
        return any(line.startswith("sha256:") for line in listed.stdout.splitlines())
