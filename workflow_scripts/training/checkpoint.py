"""Resume checkpoints: an interrupted training continues from one and ends in the same bits."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from workflow_scripts.plumbing.files import atomic_path, leftovers


class ResumeCheckpoint:
    """An atomic file beside a training job's output, undeclared to Snakemake, keyed by what determines the result."""

    def __init__(self, output: str | Path, determinants: dict) -> None:
        """`determinants` (JSON-serialisable) are everything that decides the job's bits."""
        output = Path(output)
        self.path = output.with_name(f"{output.stem}.resume.pt")
        self.key = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()

    def load(self) -> dict | None:
        """The saved state; None without one. A damaged checkpoint, or one of a different key, is refused with a
        message.
        """
        if not self.path.exists():
            return None
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            key, state, sha256 = saved["key"], saved["state"], saved["sha256"]
            whole = sha256 == state_sha256(state)
        except Exception as error:  # torch raises many kinds for damaged files, and what it reads may be anything
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            print(f"{self.path}: it is damaged ({reason}). Training starts from the beginning.", flush=True)
            return None
        if key != self.key:
            print(
                f"{self.path}: made with different settings, data or code. Training starts from the beginning.",
                flush=True,
            )
            return None
        if not whole:
            print(
                f"{self.path}: it is damaged, since its checksum differs. Training starts from the beginning.",
                flush=True,
            )
            return None
        return state

    def save(self, state: dict) -> None:
        """Replace the checkpoint by `state` (tensors, numbers, strings, lists, dicts), whole or not at all."""
        saved = {"key": self.key, "state": state, "sha256": state_sha256(state)}
        with atomic_path(self.path) as temporary, open(temporary, "wb") as file:
            torch.save(saved, file)  # to an open file: given a path, torch does not report a full disk

    def delete(self) -> None:
        """Remove the checkpoint, and what killed jobs left of unfinished ones, after the output is safely written."""
        self.path.unlink(missing_ok=True)
        for leftover in leftovers(self.path, any_machine=True):
            leftover.unlink(missing_ok=True)


def state_sha256(state: object) -> str:
    """A hash of all that a state holds (tensors, numbers, strings, lists, dicts), on any device."""
    digest = hashlib.sha256()

    def add(value: object) -> None:
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        elif isinstance(value, Mapping):
            for key, item in value.items():
                add(key)
                add(item)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            digest.update(b"[")
            for item in value:
                add(item)
            digest.update(b"]")
        else:
            digest.update(f"{type(value).__name__}:{value!r};".encode())

    add(state)
    return digest.hexdigest()
