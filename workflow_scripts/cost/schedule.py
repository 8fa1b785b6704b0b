"""How long a number of devices takes for jobs that wait for each other."""

import heapq
from collections.abc import Mapping, Sequence
from typing import TypeVar

Job = TypeVar("Job")  # anything hashable that can be ordered


def wall_seconds(seconds: Mapping[Job, float], waits_for: Mapping[Job, Sequence[Job]], devices: int) -> float:
    """The seconds that `devices` take for jobs of so many `seconds`, each of which waits for some that come before it.

    A free device takes the job with the longest path of jobs behind it, of those that can start. With as many devices
    as jobs, the result is the critical path.
    """
    behind = _paths_behind(seconds, waits_for)
    left = {name: len(waits_for[name]) for name in seconds}
    ready = [(-behind[name], name) for name in seconds if not left[name]]
    heapq.heapify(ready)
    followers = _followers(waits_for)
    running: list[tuple[float, Job]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < devices:
            _, name = heapq.heappop(ready)
            heapq.heappush(running, (now + seconds[name], name))
        now, ended = heapq.heappop(running)
        for name in followers.get(ended, []):
            left[name] -= 1
            if not left[name]:
                heapq.heappush(ready, (-behind[name], name))
    return now


def _followers(waits_for: Mapping[Job, Sequence[Job]]) -> dict[Job, list[Job]]:
    followers: dict[Job, list[Job]] = {}
    for name, sources in waits_for.items():
        for source in sources:
            followers.setdefault(source, []).append(name)
    return followers


def _paths_behind(seconds: Mapping[Job, float], waits_for: Mapping[Job, Sequence[Job]]) -> dict[Job, float]:
    """The longest path of jobs from each job on, itself included."""
    longest = dict(seconds)
    for name in reversed(list(seconds)):
        for source in waits_for[name]:
            longest[source] = max(longest[source], seconds[source] + longest[name])
    return longest
