# SPDX-License-Identifier: Apache-2.0
"""`boot` with an emulator that a test writes: what ended the machine decides about the exit code and
about a second attempt. And what it says of kernels that are none."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BOOT = Path(__file__).parent.absolute() / "boot"
DID_NOT_RUN = 125

# Attempt N of a boot runs the Nth script that the test wrote.
EMULATOR = """#!/bin/sh
case $1 in --version) echo 'QEMU emulator version 7.2.0'; exit ;; esac
for argument; do case $argument in file:*) console=${argument#file:} ;; esac; done
begin() { echo 'TAPIO-MATRIX-BEGIN 9.9.9' >>"$console"; }
end() { echo "TAPIO-MATRIX-END $1" >>"$console"; }
echo once >>"$FAKE/attempts"
. "$FAKE/attempt$(wc -l <"$FAKE/attempts")"
"""
BUSYBOX = """#!/bin/sh
case $1 in cpio) cat >/dev/null ;; esac
"""
GOOD = "begin; echo hello; end 0"


def bzimage():
    """As much of a kernel as `boot` looks at: the boot protocol's header and the version string."""
    header = bytearray(1024)
    header[514:518] = b"HdrS"
    header[526:528] = (600 - 512).to_bytes(2, "little")
    header[600:614] = b"9.9.9-test (x)"
    return bytes(header)


class Boot(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.fake = Path(scratch.name)
        self.kernel = self.fake / "bzImage"
        self.kernel.write_bytes(bzimage())
        for name, script in (("qemu-system-x86_64", EMULATOR), ("busybox", BUSYBOX)):
            (self.fake / name).write_text(script)
            (self.fake / name).chmod(0o755)

    def boot(self, kernel, *attempts, options=()):
        for number, script in enumerate(attempts, 1):
            (self.fake / f"attempt{number}").write_text(script)
        environment = {**os.environ, "FAKE": str(self.fake), "XDG_CACHE_HOME": str(self.fake),
                       "PATH": f"{self.fake}:{os.environ['PATH']}"}
        return subprocess.run([BOOT, kernel, *options, "--", "sh", "-c", "true"],
                              capture_output=True, text=True, env=environment)

    def attempts(self):
        return (self.fake / "attempts").read_text().count("once")

    def logs(self):
        return sorted(path.name for path in self.fake.glob("tapio/boots/*/*output*"))

    def test_output_and_exit_code_are_the_commands_own(self):
        done = self.boot(self.kernel, "begin; echo hello; end 3")
        self.assertEqual((done.returncode, done.stdout), (3, "hello\n"))
        self.assertEqual(self.attempts(), 1)

    def test_a_machine_that_ends_before_the_command_began_is_booted_once_more(self):
        done = self.boot(self.kernel, "exit 0", GOOD)
        self.assertEqual((done.returncode, self.attempts()), (0, 2))
        self.assertEqual(self.logs(), ["output.1.log", "output.log"])
        self.assertIn("9.9.9-test ended without the command's end; once more", done.stderr)

    def test_an_emulator_that_crashes_under_the_command_is_tried_once_more(self):
        done = self.boot(self.kernel, "begin; kill -SEGV $$", GOOD)
        self.assertEqual((done.returncode, self.attempts()), (0, 2), done.stderr)

    def test_a_kernel_that_oopses_under_the_command_is_booted_once_more(self):
        done = self.boot(self.kernel, "begin; echo 'Oops: 0002' >>$console", GOOD)
        self.assertEqual((done.returncode, self.attempts()), (0, 2))

    def test_a_second_crash_is_told_apart_from_a_command_that_fails(self):
        crash = "begin; kill -SEGV $$"
        done = self.boot(self.kernel, crash, crash, GOOD)
        self.assertEqual((done.returncode, self.attempts()), (DID_NOT_RUN, 2))
        self.assertIn("9.9.9-test did not finish the command", done.stderr)

    def test_a_command_that_switches_the_machine_off_is_not_run_again(self):
        done = self.boot(self.kernel, "begin; exit 0", GOOD)
        self.assertEqual((done.returncode, self.attempts()), (DID_NOT_RUN, 1))

    def test_a_kernel_that_is_not_there_is_no_kernel(self):
        done = self.boot(self.fake / "nothing")
        self.assertEqual(done.returncode, DID_NOT_RUN)
        self.assertIn("nothing' is no file and not in kernels.txt; see --list", done.stderr)

    def test_a_file_that_is_no_kernel_is_refused(self):
        (self.fake / "text").write_text("not a kernel\n" * 100)
        (self.fake / "empty").touch()
        for file in ("text", "empty"):
            done = self.boot(self.fake / file)
            self.assertEqual(done.returncode, DID_NOT_RUN)
            self.assertIn(f"{file} is no bzImage", done.stderr)
        done = self.boot(self.fake / "text", options=("--arch", "arm64"))
        self.assertEqual(done.returncode, DID_NOT_RUN)
        self.assertIn("text is no Image of arm64", done.stderr)

    def test_a_kernel_for_the_other_architecture_is_refused(self):
        (self.fake / "Image").write_bytes(b"\0" * 56 + b"ARMd" + b"Linux version 9.9.9-arm \0")
        self.assertIn("Image is no bzImage", self.boot(self.fake / "Image").stderr)
        done = self.boot(self.kernel, options=("--arch", "arm64"))
        self.assertIn("bzImage is no Image of arm64", done.stderr)


unittest.main()
