"""make bench-train, first half: networks of the default study (config.yaml), ours and a peer's, as whole processes.

The peer is tests/bench/peer_train.py: one process per network, ImageFolder and DataLoader with two workers over the
same images as PNG files (already resized, which favours it), torch's default threads. CPU seconds are those of
processes with their workers and their start. `make` has packed the sample and made its tasks. Timing decides no test.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import torch
from bench_tools import DEPTHS, MANIFEST, TASKS, leaves, machine
from helpers import ROOT
from PIL import Image

from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.files import read_json
from workflow_scripts.store.packed import PackedSplit

SEEDS = (0, 1, 2)
PEER_DEPTHS = {"frozen": DEPTHS, "finetuned": (1, 4, 7)}
MATRIX = {"base": 5, "frozen": 49, "finetuned": 28}  # the default study's 82 networks, random features among the frozen


def our_job(folder, source, target, treatment, depths, seed=0):
    """The command of one of our training jobs, and where its record will be."""
    name = f"{source}-{target}-{treatment}-{'-'.join(map(str, depths))}-seed{seed}"
    record = folder / f"{name}.json"
    command = [sys.executable, "-m", "workflow_scripts.training.train", "--manifest", MANIFEST, "--task", TASKS[target]]
    command += ["--partition", "random0", "--source", source, "--target", target, "--treatment", treatment]
    command += ["--seed", seed, "--depths", *depths, "--settings", json.dumps(leaves(treatment))]
    if treatment != "base":
        weights = folder / f"{source}-{source}-base-0-seed{seed}.safetensors"
        command += ["--source-task", TASKS[source], "--source-weights", weights]
    return [*command, "--record", record, "--weights", record.with_suffix(".safetensors")], record


def peer_job(folder, source, target, depth=0, frozen=False):
    """The command of the peer for one network, and where it prints its score."""
    name = f"peer-{source}-{target}-{depth}{'-frozen' if frozen else ''}"
    command = [sys.executable, ROOT / "tests/bench/peer_train.py", folder / f"tree{target}"]
    command += ["--mean", folder / f"mean{source}.pt"]
    if depth:
        command += ["--depth", depth, "--source", folder / f"peer-{source}-{source}-0.pt"]
    else:
        command += ["--save", folder / f"{name}.pt"]
    return [*command, *(["--frozen"] if frozen else [])], folder / f"{name}.out"


def cpu_seconds(jobs, together=1):
    """Run (command, output file) pairs, `together` at a time; the CPU seconds of each with its children, in order."""
    waiting, running, spent = list(enumerate(jobs)), {}, {}
    while waiting or running:
        while waiting and len(running) < together:
            number, (command, output) = waiting.pop(0)
            running[start(command, output)] = number
        process, status, usage = os.wait4(-1, 0)
        number = running.pop(process)
        spent[number] = usage.ru_utime + usage.ru_stime
        if status:
            raise SystemExit(f"failed: {' '.join(map(str, jobs[number][0]))}")
    return [spent[number] for number in range(len(jobs))]


def start(command, output):
    """Start a process that prints into `output` with suffix .out; returns its number."""
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, str(output.with_suffix(".out")), create, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, str(output.with_suffix(".log")), create, 0o644),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return os.posix_spawn(sys.executable, list(map(str, command)), environment, file_actions=actions)


def write_tree(folder, half):
    """A task's packed images as PNG files in ImageFolder's layout, and its mean image."""
    task = Task.load(TASKS[half])
    for split in ("train", "val"):
        packed = PackedSplit(MANIFEST, split)
        positions, labels = getattr(task, f"{split}_positions"), getattr(task, f"{split}_labels")
        for position, label, image in zip(positions, labels, packed.images(positions), strict=True):
            place = folder / f"tree{half}" / split / f"{label:03d}" / f"{position:06d}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place)
    torch.save(torch.from_numpy(task.mean_image).permute(2, 0, 1).float(), folder / f"mean{half}.pt")


def run_ours(folder):
    """Ours, two jobs at a time as on two cores: CPU seconds a network by kind, scores on B by (treatment, depth)."""
    bases = [our_job(folder, half, half, "base", [0], seed) for seed in SEEDS for half in "AB"]
    curves = [our_job(folder, "A", "B", kind, DEPTHS, seed) for seed in SEEDS for kind in ("frozen", "finetuned")]
    spent = {"base": statistics.mean(cpu_seconds(bases, together=2))}
    seconds = cpu_seconds(curves, together=2)
    spent |= {
        kind: statistics.mean(seconds[part::2]) / len(DEPTHS) for part, kind in enumerate(("frozen", "finetuned"))
    }
    scores = {}
    for _, record in [*bases, *curves]:
        for network in read_json(record)["networks"]:
            if network["target"] == "B":
                scores.setdefault((network["treatment"], network["depth"]), []).append(network["top1_best10_mean"])
    return spent, scores


def run_peer(folder):
    """The peer, one job at a time since its threads and workers fill both cores: as run_ours."""
    bases = [peer_job(folder, half, half) for half in "AB"]
    spent = {"base": statistics.mean(cpu_seconds(bases))}
    scores = {("base", 0): printed_score(bases[1][1])}
    for kind, depths in PEER_DEPTHS.items():
        jobs = [peer_job(folder, "A", "B", depth, kind == "frozen") for depth in depths]
        spent[kind] = statistics.mean(cpu_seconds(jobs))
        scores |= {(kind, depth): printed_score(job[1]) for depth, job in zip(depths, jobs, strict=True)}
    return spent, scores


def printed_score(output):
    """The peer's score."""
    return json.loads(output.read_text())["top1_best10_mean"]


def bench_peer(folder):
    """CPU seconds of the default study's matrix, ours and the peer's, and their accuracies."""
    for half in "AB":
        write_tree(folder, half)
    ours, our_scores = run_ours(folder)
    peers, peer_scores = run_peer(folder)
    print("CPU seconds a network (bases A and B, frozen AB at 7 depths, fine-tuned AB; the peer's at n = 1, 4, 7)")
    for kind, count in MATRIX.items():
        times = peers[kind] / ours[kind]
        print(f"  {kind:10s} ours {ours[kind]:6.2f}   peer {peers[kind]:6.2f}   ratio {times:5.1f}   x {count}")
    our_total, peer_total = (sum(side[kind] * count for kind, count in MATRIX.items()) for side in (ours, peers))
    print(f"  default study's {sum(MATRIX.values())} networks: ours {our_total:.0f}, peer {peer_total:.0f}")
    print(f"  peer over ours: {peer_total / our_total:.1f} (wanted 8 at least, aim 12)\n")
    compare_scores(our_scores, peer_scores)


def compare_scores(ours, peers):
    """Top-1 accuracies beside each other, and their difference beside the spread from seed to seed."""
    print(f"Top-1 on B in percent: ours (mean and standard deviation of {len(SEEDS)} seeds), the peer's (1 seed)")
    differences, variances = [], []
    for (kind, depth), peer in sorted(peers.items()):
        own = [100 * score for score in ours[kind, depth]]
        mean, spread = statistics.mean(own), statistics.stdev(own)
        differences.append(100 * peer - mean)
        variances.append(spread**2)
        print(f"  {kind:10s} n={depth}  ours {mean:5.1f} +- {spread:3.1f}   peer {100 * peer:5.1f}")
    expected = (statistics.mean(variances) * (1 + 1 / len(SEEDS))) ** 0.5
    typical = statistics.mean(value**2 for value in differences) ** 0.5
    print(f"  differences: mean {statistics.mean(differences):+.1f}, root mean square {typical:.1f} points;")
    print(f"  expected from the spread of seeds alone: {expected:.1f}\n")


def bench_curve(folder):
    """A frozen curve of seven depths in one job, and in seven; its base network was trained by bench_peer."""
    whole = cpu_seconds([our_job(folder, "A", "B", "frozen", DEPTHS)])[0]
    parts = sum(cpu_seconds([our_job(folder, "A", "B", "frozen", [depth]) for depth in DEPTHS]))
    print(f"A frozen curve of 7 depths: {whole:.1f} CPU s in one job, {parts:.1f} in seven;")
    print(f"  ratio {whole / parts:.2f} (wanted 0.5 at most)\n")


def main():
    """Both comparisons, the machine first."""
    print(f"{machine()}; torch {torch.__version__}\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        bench_peer(Path(name))
        bench_curve(Path(name))


if __name__ == "__main__":
    main()
