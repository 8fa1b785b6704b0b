"""Coverage-guided fuzzing (atheris, libFuzzer) of the readers of untrusted files, one process for each target in turn.

`make test-fuzz`; FUZZ_SECONDS=600 for more than a minute a target. What is found stays in results/fuzz/: the inputs
that reach new code, from which the next run goes on, and those that fail. Compiled code, as libjpeg's, is run but not
guided by; of Pillow, the Python is.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parent.parent.parent
TARGETS = ("tar", "meta", "image", "devkit", "truth")
INSTRUMENTED = ["workflow_scripts", "fuzz_targets", "tarfile", "gzip", "PIL"]
TIMEOUT, MEMORY_MB = 5, 2048
# A process is half a GB when it starts. Seeds are 2 kB; inputs may grow to ten times that.
LIMITS = [f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY_MB}", f"-malloc_limit_mb={MEMORY_MB}", "-max_len=20000"]


def fuzz(target: str, options: list[str]) -> None:
    """Fuzz one target in this process, as libFuzzer's `options` say; it ends the process."""
    with atheris.instrument_imports(include=INSTRUMENTED):
        import fuzz_targets
    corpus = Path(options[-1])
    for number, data in enumerate(fuzz_targets.seeds(target)):
        (corpus / f"seed{number}").write_bytes(data)
    atheris.Setup([sys.argv[0], *options], lambda data: fuzz_targets.refused(target, data))
    atheris.Fuzz()


def run(target: str, seconds: int, folder: Path) -> bool:
    """Fuzz one target for `seconds` in a process of its own and print what came of it: whether nothing was found."""
    corpus, findings = folder / "corpus" / target, folder / "findings" / target
    for made in (corpus, findings):
        made.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    options = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={findings}/", *LIMITS]
    command = [sys.executable, __file__, "--target", target, "--", *options, str(corpus)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    executed = re.findall(r"stat::number_of_executed_units:\s+(\d+)", ended.stdout)
    coverage = re.findall(r"\bcov: (\d+) ft: (\d+)", ended.stdout)
    found = sorted(set(findings.iterdir()) - before)
    covered = f", coverage {coverage[-1][0]}" if coverage else ""
    print(f"{target}: {executed[-1] if executed else 'unknown'} executions in {seconds} s{covered}, ", end="")
    print(f"{len(found)} findings, status {ended.returncode}", flush=True)
    if found or ended.returncode or not executed:
        print(ended.stdout[-4000:])
        for path in found:
            print(f"the input that fails: {path}")
        return False
    return True


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=TARGETS)
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "fuzz")
    parser.add_argument("--target", choices=TARGETS, help="fuzz this one here, as the options after -- say")
    parser.add_argument("options", nargs="*")
    args = parser.parse_args()
    if args.target:
        fuzz(args.target, args.options)
    sound = [run(target, args.seconds, args.folder) for target in args.targets]
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()
