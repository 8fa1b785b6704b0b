"""Seeds as hashes of names, so that no random number depends on the order or company of a computation."""

import hashlib


def derive_seed(*names: str | int) -> int:
    """A seed in [0, 2**63) that is a hash of `names` (strings and integers, order and types matter)."""
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
