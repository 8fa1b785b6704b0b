"""A process of its own, bounded in memory and time, for inputs that may bring it down.

`python tests/fuzz_batch.py random TARGET EXAMPLES FILE` runs Hypothesis' property of one target; FILE has the input
that is being read. `python tests/fuzz_batch.py attacks NAME...` runs the named attacks, a line of JSON each.
"""

import json
import resource
import signal
import sys
import time
from pathlib import Path

from attacks import ATTACKS
from fuzz_targets import REFUSALS, TARGETS, refused, seeds
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

MORE_MEMORY = 2**30  # than the process has when it starts
SECONDS = 5  # of CPU time for an input; SIGPROF then ends the process, in whatever compiled code it is
INTERESTING = [0, 1, 4, 5, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 10**6, 64, 512, 4096]


def limit_memory():
    """Bound the address space to what the process has now and MORE_MEMORY."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@st.composite
def damaged(draw, target):
    """A valid input with some damage, or any bytes."""
    valid = seeds(target)
    data = bytearray(draw(st.sampled_from(valid)))
    for kind in draw(st.lists(st.sampled_from(["flip", "cut", "number", "splice", "repeat", "insert"]), max_size=6)):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        if kind == "flip":
            data[start : start + 1] = bytes([draw(st.integers(0, 255))])
        elif kind == "cut":
            del data[start : start + draw(st.sampled_from([1, 2, 4, 512, len(data)]))]
        elif kind == "number":
            size, order = draw(st.sampled_from([2, 4, 8])), draw(st.sampled_from(["big", "little"]))
            data[start : start + size] = (draw(st.sampled_from(INTERESTING)) % 256**size).to_bytes(size, order)
        elif kind == "splice":
            other = draw(st.sampled_from(valid))
            place = draw(st.integers(0, len(other)))
            data[start:] = other[place:]
        elif kind == "repeat":
            data[start:start] = data[start : start + draw(st.sampled_from([1, 16, 512]))] * draw(st.integers(1, 20))
        else:
            data[start:start] = draw(st.binary(max_size=16))
    return bytes(data)


def run_random(target, examples, current):
    """Run the property of `target`; each input is written to the file `current` before it is read."""
    inputs = st.one_of(damaged(target), damaged(target), damaged(target), st.binary(max_size=2000))
    counts = {True: 0, False: 0}

    @seed(0)
    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(inputs)
    def readable_or_refused(data):
        current.write_bytes(data)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        counts[refused(target, data)] += 1
        signal.setitimer(signal.ITIMER_PROF, 0)

    readable_or_refused()
    print(json.dumps({"read": counts[False], "refused": counts[True]}))


def run_attack(name):
    """What became of an attack: its reason if it was refused, and the seconds that took."""
    target, make, _ = ATTACKS[name]
    data, reason = make(), None
    started = time.perf_counter()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        TARGETS[target](data)
    except REFUSALS as refusal:
        reason = str(refusal)
    except Exception as error:
        reason = f"a traceback: {type(error).__name__} {error}"
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(json.dumps({"name": name, "reason": reason, "seconds": time.perf_counter() - started}), flush=True)


def main():
    """Command line: see the module's docstring."""
    kind, *arguments = sys.argv[1:]
    limit_memory()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    if kind == "random":
        target, examples, current = arguments
        seeds(target)
        run_random(target, int(examples), Path(current))
    else:
        for name in arguments:
            run_attack(name)


if __name__ == "__main__":
    main()
