"""How large a configuration may be: one walk over what it holds, whether YAML nodes or values."""

from collections.abc import Callable

from workflow_scripts.plumbing.cli import InputError

MAX_ITEMS, MAX_DEPTH, MAX_VALUES = 1000, 20, 20_000

Named = tuple[str, object]  # where a value stands, and the value


def check_extent(
    root: Named, parts: Callable[[str, object], list[Named]], visit: Callable[[str, object], None]
) -> None:
    """Walk over `root` and all below it, and call `visit` on each. Raises InputError, naming the place, for too much.

    Too much is a list or section of more than MAX_ITEMS items, nesting of more than MAX_DEPTH, or more than MAX_VALUES
    values. YAML's aliases make such from a few lines, and they would keep every later check busy for ever.

    `parts` gives what is directly in a value, each with its place. Aliases count as written out.
    """
    waiting, values = [(*root, 0)], 0
    while waiting:
        place, value, depth = waiting.pop()
        visit(place, value)
        inside = parts(place, value)
        values += len(inside)
        if len(inside) > MAX_ITEMS or depth > MAX_DEPTH or values > MAX_VALUES:
            raise InputError(
                f"configuration: {place}: it holds more than a study can have ({MAX_ITEMS} items in a list, "
                f"{MAX_DEPTH} lists in lists, {MAX_VALUES:,} values in all). Shorten it."
            )
        waiting += [(name, item, depth + 1) for name, item in inside]
