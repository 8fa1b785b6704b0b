"""`make bench-dag`: seconds and memory of a dry run against the number of networks. Nothing is trained."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from checkout import Checkout

SEEDS = (1, 4, 16, 64, 122)  # of the default study's 82 networks
ARCHIVES = ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz")


def dry_run(folder, *studies):
    """Seconds and megabytes of `snakemake -n`, and how many jobs it plans."""
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--configfile", *studies]
    output = folder / "dry_run.txt"
    started = time.perf_counter()
    with output.open("w") as file:
        process = subprocess.Popen([*command, "--quiet", "rules"], cwd=folder, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(output.read_text())
    jobs = next(line.split()[1] for line in output.read_text().splitlines() if line.startswith("total "))
    return seconds, usage.ru_maxrss / 1024, int(jobs)


def many_seeds(folder, seeds):
    """The default study with so many seeds."""
    path = folder / f"seeds{seeds}.yaml"
    path.write_text(yaml.safe_dump({"study": f"seeds{seeds}", "seeds": list(range(seeds))}))
    return path.name


def main():
    """Print a line per study."""
    folder = Path(tempfile.mkdtemp(prefix="bench-dag-"))
    checkout = Checkout(folder, "config.yaml").folder
    (folder / "archives").mkdir()
    for name in ARCHIVES:
        (folder / "archives" / name).touch()
    (folder / "here.yaml").write_text(f"dataset: {{path: {folder}/archives}}\n")
    print(f"{'study':<38}{'networks':>9}{'jobs':>7}{'seconds':>9}{'MB':>6}")
    paper = ["configs/paper.yaml", "here.yaml"]
    studies = [("configs/paper.yaml", 136, paper)]
    studies += [("configs/paper_reduced.yaml over it", 12, [*paper[:1], "configs/paper_reduced.yaml", "here.yaml"])]
    studies += [(f"config.yaml, {seeds} seeds", 82 * seeds, [many_seeds(folder, seeds)]) for seeds in SEEDS]
    for name, networks, files in studies:
        seconds, memory, jobs = dry_run(checkout, *files)
        print(f"{name:<38}{networks:>9,}{jobs:>7,}{seconds:>9.1f}{memory:>6.0f}", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
