# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the files of the tree, what they include, how findings are told."""

import functools
import os
import re
import sys
from pathlib import Path

NOT_OURS = {".git", "build", ".cache", "__pycache__", "node_modules", "dist"}
CPP = (".hpp", ".cpp")
BPF = (".bpf.c", ".bpf.h")
OBSERVERS = ("observers/", "docs/examples/")  # the worked example keeps the rules of those it teaches
TESTS = re.compile(r"_(test|fuzz|scenario|bench|trigger)\.cpp$")  # _kernel_test.cpp is one of them

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


@functools.cache
def files():
    """All files of the tree, as paths from the repository root, which is where checks run."""
    if not Path("src/bpf/abi.h").is_file():
        sys.exit("tools/check: run it from the root of the repository")
    found = []
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(set(folders) - NOT_OURS)
        found += [Path(folder, name).as_posix().removeprefix("./") for name in sorted(names)]
    return [path for path in found if Path(path).is_file()]


def sources(*endings, under=""):
    return [p for p in files() if p.endswith(endings) and p.startswith(under)]


@functools.cache
def text(path):
    return Path(path).read_bytes().decode(errors="replace")


def lines(path):
    """(line number, line) of a file; unlike splitlines(), only a line feed ends a line."""
    return enumerate(text(path).removesuffix("\n").split("\n"), 1)


@functools.cache
def includes(path):
    """(line number, '<' or '"', name) of every #include of a file."""
    found = ((number, _INCLUDE.match(line)) for number, line in lines(path))
    return [(number, match[1], match[2]) for number, match in found if match]


def without_comments(source):
    """C or C++ with its comments blanked; strings and line numbers stay."""
    token = r'//[^\n]*|/\*.*?\*/|("(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')'
    blank = lambda match: match[1] or re.sub(r"[^\n]", " ", match[0])
    return re.sub(token, blank, source, flags=re.S)


def abi_headers():
    """What both sides compile: the shared header, then those of the observers."""
    return ["src/bpf/abi.h"] + sources(".abi.h")


def kernel_side():
    """What is in kernel style: programs, their headers, and the ABI; not vmlinux.h."""
    return abi_headers() + sources(*BPF)


def asked_to_fix():
    """Whether the one option there is, --fix, was given."""
    if sys.argv[1:] not in ([], ["--fix"]):
        sys.exit(f"usage: {sys.argv[0]} [--fix]")
    return len(sys.argv) > 1


def finish(findings):
    """Ends the check. Findings are (path, line, what is wrong and what to do)."""
    for path, line, what in sorted(set(findings)):
        print(f"{path}:{line}: {what}")
    sys.exit(1 if findings else 0)
