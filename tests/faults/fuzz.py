"""make test-fuzz: the readers of foreign bytes under atheris, which looks for inputs that reach new code.

FUZZ_SECONDS (60) for each target; ends with status 1 and the input's file if one crashes, hangs or takes 2 GB.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))
TARGETS = ("tar", "meta", "devkit", "synsets", "truth", "image")


def fuzz_one(target):
    """In a process of its own: fuzz `target` until libFuzzer's arguments end it."""
    import atheris

    with atheris.instrument_imports(include=["workflow_scripts", "tarfile"]):
        import fuzz_targets
    atheris.Setup(sys.argv, fuzz_targets.TARGETS[target])
    atheris.Fuzz()


def run(target, folder):
    """The status of a fuzzing of `target` and what it printed; what crashes it is written to `folder`."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    import fuzz_targets

    for number, seed in enumerate(fuzz_targets.SEEDS[target]):
        (corpus / str(number)).write_bytes(seed)
    limits = [
        f"-max_total_time={SECONDS}",
        "-timeout=5",
        "-rss_limit_mb=2048",
        "-max_len=16384",
        "-print_final_stats=1",
    ]
    command = [sys.executable, __file__, *limits, f"-artifact_prefix={folder}/", str(corpus)]
    done = subprocess.run(
        command, env=os.environ | {"FUZZ_TARGET": target}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def main():
    failed = False
    for target in TARGETS:
        folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
        status, printed = run(target, folder)
        executions = re.search(r"number_of_executed_units: (\d+)", printed)
        found = [path for path in folder.iterdir() if path.is_file()]
        print(
            f"{target}: {executions[1] if executions else 'no'} executions in {SECONDS} s, {len(found)} findings",
            flush=True,
        )
        if status or found:
            failed = True
            print(printed[-3000:], *found, sep="\n", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    if target := os.environ.get("FUZZ_TARGET"):
        fuzz_one(target)
    else:
        main()
