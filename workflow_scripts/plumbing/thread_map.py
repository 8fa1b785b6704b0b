"""An ordered map over threads that holds a bounded number of results."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def thread_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int = 1
) -> Iterator[Result]:
    """`function` of each of `items`, in their order, computed by `threads` threads while the caller uses a result.

    At most `threads` times `ahead` items are taken beyond the one that the caller waits for. With 0 threads each result
    is computed when it is asked for. What `function` raises is raised here, in order.
    """
    if not threads:
        yield from map(function, items)
        return
    items = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(function, item) for item in islice(items, threads * ahead))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(items, 1))
            yield result
