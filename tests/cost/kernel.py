# SPDX-License-Identifier: Apache-2.0
"""The kernel's own account of BPF programs."""

import ctypes
import json
import os
import platform
import subprocess

BPF_ENABLE_STATS = 32
CALL_BPF = {"x86_64": 321, "aarch64": 280}


class Statistics:
    """Run times are counted as long as this is open, and no longer: not even after a crash."""

    def __enter__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        run_time = ctypes.create_string_buffer(128)  # union bpf_attr; BPF_STATS_RUN_TIME is 0
        self.fd = libc.syscall(CALL_BPF[platform.machine()], BPF_ENABLE_STATS, run_time, 4)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "BPF_ENABLE_STATS")
        return self

    def __exit__(self, *_):
        os.close(self.fd)


def programs():
    """By id, as bpftool shows them."""
    shown = subprocess.run(["bpftool", "prog", "show", "--json"], capture_output=True, check=True)
    return {row["id"]: row for row in json.loads(shown.stdout)}


def run_times(ids):
    """{name: (ns, runs)} of those that ran."""
    return {row["name"]: (row.get("run_time_ns", 0), row.get("run_cnt", 0))
            for number, row in programs().items() if number in ids and row.get("run_cnt")}
