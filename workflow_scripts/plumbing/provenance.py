"""What made a file: configuration leaves, code fingerprint, versions, machine."""

import platform
from importlib import metadata

from workflow_scripts.plumbing.fingerprint import code_fingerprint

LIBRARIES = ("numpy", "pandas", "pillow", "scipy", "matplotlib", "torch", "torchvision", "timm", "safetensors")


def provenance(step: str, settings: dict) -> dict:
    """The record that goes beside or into every output of the module `step` (JSON-serialisable).

    `settings` are the configuration leaves that the step used. Libraries that are not installed are left out.
    """
    installed = {}
    for library in LIBRARIES:
        try:
            installed[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {
        "step": step,
        "settings": settings,
        "code": code_fingerprint(step),
        "versions": {"python": platform.python_version(), **installed},
        "machine": f"{platform.machine()} {platform.system()}",
    }
