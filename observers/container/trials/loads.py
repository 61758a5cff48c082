# SPDX-License-Identifier: Apache-2.0
"""What processes do with memory, each in a cgroup with a limit of its own."""

import mmap
import os
import random
import time

MIB = 1 << 20
LIMIT = 96 * MIB
PAUSE = 0.2  # between steps
CALM = 105   # seconds that those run which are not killed


def take(size):
    """So many bytes that are really there."""
    size = max(int(size), mmap.PAGESIZE)
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, size, mmap.PAGESIZE):
        memory[at] = 1
    return memory


class Load:
    """`run` is called in a process of its own that is in the cgroup; `seconds` till the limit, from
    when its growth can be seen."""

    to_be_killed = False
    seconds = 0

    def __init__(self, kind):
        self.kind = kind

    def run(self, cgroup):
        raise NotImplementedError


class Ramp(Load):
    """From a fifth of the limit to all of it, in steps of the same or of very different sizes."""

    to_be_killed = True

    def __init__(self, seconds, jitter=0.0, kind=None):
        slow = "ramp" if seconds >= 30 else "fast ramp"
        super().__init__(kind or (slow + (" with jitter" if jitter else "")))
        self.seconds, self.jitter = seconds, jitter

    def run(self, cgroup):
        begin = 0.2 * LIMIT
        kept = [take(begin - cgroup.usage())]
        speed = (LIMIT - begin) / self.seconds
        start = last = time.monotonic()
        while True:
            time.sleep(PAUSE * (1 + self.jitter * random.uniform(-1, 1)))
            now = time.monotonic()
            part = 1 + self.jitter * random.uniform(-1, 1)
            kept.append(take(speed * (now - last) * part))
            last = now
            if now - start > 3 * self.seconds:
                os._exit(3)


class RampBesideCache(Ramp):
    """The same, while another process fills what is left with page cache."""

    def __init__(self, seconds):
        super().__init__(seconds, kind="ramp beside cache")

    def run(self, cgroup):
        if os.fork() == 0:
            read_again_and_again(3 * self.seconds)
        super().run(cgroup)


class Step(Load):
    """All at once, after a while at a third."""

    to_be_killed = True

    def __init__(self):
        super().__init__("step")

    def run(self, cgroup):
        kept = [take(LIMIT / 3 - cgroup.usage())]
        time.sleep(random.uniform(15, 20))
        kept.append(take(LIMIT))


class Stable(Load):
    def __init__(self, part):
        super().__init__("stable")
        self.part = part

    def run(self, cgroup):
        kept = [take(self.part * LIMIT - cgroup.usage())]
        time.sleep(CALM)
        del kept


class Noisy(Load):
    """Up and down by chance, around a level."""

    def __init__(self, part, noise):
        super().__init__("stable with noise")
        self.part, self.noise = part, noise

    def run(self, cgroup):
        end = time.monotonic() + CALM
        kept = take((self.part - self.noise) * LIMIT - cgroup.usage())
        while time.monotonic() < end:
            more = take(random.uniform(0, 2 * self.noise) * LIMIT)
            time.sleep(random.uniform(0.1, 1.5))
            more.close()
        kept.close()


class Collected(Load):
    """A heap that grows, is collected, and grows again."""

    def __init__(self, low, high, period):
        super().__init__("collected heap")
        self.low, self.high, self.period = low, high, period

    def run(self, cgroup):
        end = time.monotonic() + CALM
        kept = take(self.low * LIMIT - cgroup.usage())
        while time.monotonic() < end:
            heap, steps = [], int(self.period / PAUSE)
            for _ in range(steps):
                heap.append(take((self.high - self.low) * LIMIT / steps))
                time.sleep(PAUSE)
            for memory in heap:
                memory.close()
        kept.close()


class StartsUp(Load):
    """Grows to a level and stays there."""

    def __init__(self, part, seconds):
        super().__init__("start-up, low" if part < 0.5 else "growth that stops")
        self.part, self.time = part, seconds

    def run(self, cgroup):
        kept, steps = [], int(self.time / PAUSE)
        grow = self.part * LIMIT - cgroup.usage()
        for _ in range(steps):
            kept.append(take(grow / steps))
            time.sleep(PAUSE)
        time.sleep(CALM - self.time)


class Cache(Load):
    """Some memory, and all else is page cache that is reclaimed at the limit, again and again."""

    def __init__(self, part):
        super().__init__("cache, reclaimed")
        self.part = part

    def run(self, cgroup):
        kept = take(self.part * LIMIT - cgroup.usage())
        read_again_and_again(CALM)
        kept.close()


def read_again_and_again(seconds):
    """A file of twice the limit, 8 MiB a second, dropped from its page cache by nobody."""
    end = time.monotonic() + seconds
    path = f"/var/tmp/tapio-forecast-{os.getpid()}"
    with open(path, "w+b", buffering=0) as file:
        os.unlink(path)
        piece = os.urandom(MIB)
        for _ in range(2 * LIMIT // MIB):
            file.write(piece)
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        os.fsync(file.fileno())
        while time.monotonic() < end:
            file.seek(0)
            while file.read(MIB) and time.monotonic() < end:
                time.sleep(0.1)
    os._exit(0)
