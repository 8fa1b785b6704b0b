"""Bytes from outside, mutated: every reader returns or refuses in one line, within seconds and a gigabyte.

Each target runs in a process of its own under RLIMIT_AS, so that a crash of C code or a bomb is a failure of its test.
"""

import multiprocessing
import os
import resource
import signal
import struct
import tarfile
import time
import zlib

import fuzz_targets
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from workflow_scripts.cli import InputError
from workflow_scripts.tars import tar_members

EXAMPLES, SECONDS, ADDRESSES = 300, 5, 2**30
EXTREMES = (b"\0" * 8, b"\xff" * 8, b"9" * 12)
PAGE = resource.getpagesize()


def limited(target, examples):
    """In a process of its own: `target` on mutations of its seeds, or on `examples` by name as they are."""
    with open("/proc/self/statm", encoding="ascii") as file:
        own = int(file.read().split()[0]) * PAGE
    resource.setrlimit(resource.RLIMIT_AS, (own + ADDRESSES, own + ADDRESSES))
    call = (fuzz_targets.TARGETS | DEFECTS)[target]
    for name, data in examples.items():
        print(f"{target}: {name}", flush=True)
        timed(call, data)
    if not examples:
        fuzz(target, call)


def timed(call, data):
    signal.alarm(SECONDS)  # ends the process
    call(data)
    signal.alarm(0)


def fuzz(target, call):
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(mutations(fuzz_targets.SEEDS[target]))
    def run(data):
        timed(call, data)

    run()


@st.composite
def mutations(draw, seeds):
    """One of the `seeds` with a few changes: bytes replaced, cut out, doubled, or put in."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from((1, 1, 2, 4, 8, 100, 512)))
        kind = draw(st.sampled_from(("set", "set", "cut", "double", "insert", "end")))
        if kind == "set":
            new = draw(
                st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from((b"\0" * 8, b"\xff" * 8, b"9" * 12)))
            )
            data[place : place + len(new)] = new
        elif kind == "cut":
            del data[place : place + length]
        elif kind == "double":
            data[place:place] = data[place : place + length]
        elif kind == "insert":
            data[place:place] = draw(st.binary(max_size=40))
        else:
            del data[place:]
    return bytes(data)


def status_of(target, examples):
    process = multiprocessing.get_context("spawn").Process(target=limited, args=(target, examples))
    process.start()
    process.join(200)
    return process.exitcode


@pytest.mark.parametrize("target", fuzz_targets.TARGETS)
def test_mutations_are_read_or_refused(target):
    assert status_of(target, {}) == 0


def block(kind, content, name=b"x"):
    """A tar header of `kind` with its content."""
    info = tarfile.TarInfo(name.decode())
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def overlapping_keywords(size):
    """A PAX header whose records begin one byte after each other, so that their keywords take its square."""
    return b"1 " * (size // 2) + b"="


def long_name(size):
    """A header that says a name of `size` bytes follows."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, size
    return info.tobuf(tarfile.GNU_FORMAT)


BOMB = zlib.compress(bytes(2**28), 9)
END = bytes(1024)
ATTACKS = {
    "tar": {
        "quadratic PAX header (CVE-2024-6232)": block(tarfile.XHDTYPE, b"1" * 2**16) + END,
        "the same, as large as is read": block(tarfile.XHDTYPE, b"1" * 2**13) + END,
        "overlapping PAX keywords": block(tarfile.XHDTYPE, overlapping_keywords(2**16)) + END,
        "the same, as large as are read": block(tarfile.XHDTYPE, overlapping_keywords(2**13)) + END,
        "many PAX headers": block(tarfile.XHDTYPE, overlapping_keywords(2**13)) * 500 + END,
        "a PAX header for all members": block(tarfile.XGLTYPE, b"12 path=abcd\n") + block(b"0", b"1") + END,
        "a name of 8 GB": long_name(2**33) + END,
        "a sparse file": block(tarfile.GNUTYPE_SPARSE, b"") + END,
    },
    "meta": {"an inflating variable": bytes(126) + b"IM" + struct.pack("<II", 15, len(BOMB)) + BOMB},
    "devkit": {"an inflating archive": bytes(2**28)},
    "synsets": {"zeros": bytes(2**20)},
    "truth": {"a number of a megabyte": b"1" * 2**20, "numbers without end": b"1\n" * 2**22},
}


@pytest.mark.parametrize("target", ATTACKS)
def test_attacks_are_read_or_refused_within_bounds(target):
    assert status_of(target, ATTACKS[target]) == 0


def test_a_header_for_all_members_and_a_long_one_are_refused_by_name(tmp_path):
    for name, reason in (("a PAX header for all members", "sets 'path'"), ("a name of 8 GB", "a header of 8589934592")):
        (tmp_path / "x.tar").write_bytes(ATTACKS["tar"][name])
        with pytest.raises(InputError, match=reason):
            tar_members(tmp_path / "x.tar")


DEFECTS = {
    "memory": lambda size: bytearray(size),
    "time": time.sleep,
    "crash": lambda number: os.kill(os.getpid(), number),
}


@pytest.mark.parametrize(("kind", "value"), [("memory", 2**31), ("time", 60), ("crash", signal.SIGSEGV)])
def test_the_bounds_hold(kind, value):
    assert status_of(kind, {kind: value}) not in (0, None)
