"""make bench-data: the data path against what a user would write instead, in one run, medians of 5 interleaved rounds.

Packing is compared with a bare loop of Pillow's decoder (draft mode and resize) over the same files, each process on a
core of its own, so that all of packing (reading, hashing, writing, fsync) counts; serving with torchvision's
ImageFolder and a DataLoader of two workers, ours on one thread; and from a store that is not in memory, with indexing a
numpy memmap. Surveying a tree of empty files shows what a file costs before any is decoded. Packing a torchvision
dataset is compared with a bare loop over its own reader that opens it, takes each image as torchvision gives it and
resizes it as ours does. Needs the shared folder of real images (see tests/conftest.py). Timing decides no test: this
prints.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from helpers import FOLDER, ROOT, pack, write_sparse_tar
from PIL import Image

from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.identity import dataset_content
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.dataset.tars import tar_index
from workflow_scripts.dataset.torchvision_data import TorchvisionDataset
from workflow_scripts.partition.make_task import make_task
from workflow_scripts.store.pack_shard import pack_shard
from workflow_scripts.store.packed import PackedSplit

if len(sys.argv) == 1:  # the packing workers' memory is measured without torch
    import torch
    from bench_tools import machine, ratio
    from torch.utils.data import DataLoader
    from torchvision import datasets
    from torchvision.transforms import v2

    from workflow_scripts.training.batches import Batches

SHARED = Path(os.environ.get("TRANSFERABILITY_SHARED", ROOT.parent / "shared"))
ROUNDS, SIZE = 5, 256
TORCHVISION = {  # name: leaves of the dataset, and the packed size
    "EuroSAT": ({"split": {"seed": 0, "val_per_class": 1}}, SIZE),
    "CIFAR100": ({}, 36),
}


def line(label, rates, remark=""):
    """Print the median, least and most of `rates`, and what they are of something else."""
    print(f"  {label:30s}{statistics.median(rates):9.0f} images/s ({min(rates):.0f} to {max(rates):.0f})   {remark}")


def photographs(folder, copies):
    """A tree of the 100 real ImageNet JPEGs in 4 classes, `copies` times; val has one of each class."""
    with tarfile.open(SHARED / "data" / "imagenet_samples.tar") as tar:
        jpegs = [tar.extractfile(member).read() for member in tar if member.isfile()]
    for number, jpeg in enumerate(jpegs * copies):
        place = folder / "train" / f"class{number % 4}" / f"{number:06d}.JPEG"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(jpeg)
    for number in range(4):
        place = folder / "val" / f"class{number}" / "0.JPEG"
        place.parent.mkdir(parents=True)
        place.write_bytes(jpegs[number])
    return folder


def decode_bare(tree):
    """The bare decoder over all training files of `tree`; returns their number."""
    files = sorted((tree / "train").glob("*/*"))
    for file in files:
        with Image.open(file) as image:
            image.draft("RGB", (SIZE, SIZE))
            image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return len(files)


def pack_one(tree, shard, shards, prefix):
    """Our packing of one shard, index to fsync; returns the number of its images."""
    return pack_shard(FolderDataset(tree), "train", int(shard), int(shards), SIZE, "warp", 0.0, 1, prefix)["images"]


def torchvision_files(folder, tree):
    """The photographs of `tree` as EuroSAT has its images, and 50,000 images of noise in CIFAR-100's format."""
    from torchvision_files import write_cifar100

    (folder / "EuroSAT" / "eurosat").mkdir(parents=True)
    shutil.copytree(tree / "train", folder / "EuroSAT" / "eurosat" / "2750")
    for file in (folder / "EuroSAT").rglob("*.JPEG"):
        file.rename(file.with_suffix(".jpg"))
    write_cifar100(folder / "CIFAR100", 500, 1, [f"class{number:02d}" for number in range(100)])


def opened(root, name):
    """The dataset `name` as ours, with all images of its training split."""
    if name == "CIFAR100":
        from torchvision_files import expect_cifar100

        expect_cifar100(root)
    leaves, _ = TORCHVISION[name]
    return TorchvisionDataset(root, name, **leaves)


def read_bare(root, name):
    """torchvision's own reader of the same images in the same order, resized; returns their number."""
    from torchvision import datasets

    images = opened(root, name).images("train", 0, 1)
    started = time.perf_counter(), time.process_time()
    reader = datasets.EuroSAT(root) if name == "EuroSAT" else datasets.CIFAR100(root)
    _, size = TORCHVISION[name]
    for image in images:
        np.asarray(reader[image.position][0].resize((size, size), Image.Resampling.BILINEAR))
    return len(images), *started


def pack_torchvision(root, name):
    """Our packing of the same images, opening to fsync; returns their number."""
    ready = opened(root, name)  # what torchvision imports
    started = time.perf_counter(), time.process_time()
    ready = opened(root, name)
    record = pack_shard(ready, "train", 0, 1, TORCHVISION[name][1], "warp", 0.0, 1, str(root / "shard"))
    return record["images"], *started


def bench_torchvision(folder, tree):
    """Rates of torchvision's readers, and of packing what they give."""
    torchvision_files(folder, tree)
    print("Packing torchvision datasets (EuroSAT of photographs to 256 x 256, CIFAR-100 to 36 x 36)")
    for name in TORCHVISION:
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(result(start(0, "read_torchvision", folder / name, name)))
            ours.append(result(start(0, "pack_torchvision", folder / name, name)))
        line(f"{name}, torchvision's reader", rates(bare))
        share = f"{ratio(rates(ours), rates(bare)):.2f} of the reader, "
        share += (
            f"{ratio(rates(ours, 'per_cpu_second'), rates(bare, 'per_cpu_second')):.2f} per CPU second (wanted 0.9)"
        )
        line("ours, one process and core", rates(ours), share)
    print()


def start(core, *command):
    """A worker process of this script on one core, after what is still to be written to the disk."""
    os.sync()
    return subprocess.Popen(
        ["taskset", "-c", str(core), sys.executable, __file__, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )


def result(process):
    """What a worker printed."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a worker failed: {process.args}")
    return json.loads(output)


def bench_packing(folder):
    """Rates of the bare decoder, and of one and of two packing processes; returns the trees of 400 and 4000 files."""
    small, large = photographs(folder / "small", 4), photographs(folder / "large", 40)
    bare, bare_two, one, two = [], [], [], []
    for _ in range(ROUNDS):
        bare.append(result(start(0, "decode", small)))
        bare_two.append([result(process) for process in [start(core, "decode", small) for core in (0, 1)]])
        one.append(result(start(0, "pack", small, 0, 1, folder / "s")))
        halves = [start(core, "pack", small, core, 2, folder / f"t{core}") for core in (0, 1)]
        two.append([result(process) for process in halves])
    bare_rates, one_rates = rates(bare), rates(one)
    bare_sums, two_sums = ([sum(rates(pair)) for pair in pairs] for pairs in (bare_two, two))
    print("Packing real ImageNet JPEGs (400; 119 kB on average) to 256 x 256")
    line("bare decoder, one core", bare_rates)
    line("bare, two processes and cores", bare_sums, f"{ratio(bare_sums, bare_rates):.2f} times one process")
    per_cpu = ratio(rates(one, "per_cpu_second"), rates(bare, "per_cpu_second"))
    of_bare = f"{ratio(one_rates, bare_rates):.2f} of the bare decoder, {per_cpu:.2f} per CPU second (wanted 0.9)"
    line("ours, one process and core", one_rates, of_bare)
    line("ours, two processes and cores", two_sums, f"{ratio(two_sums, one_rates):.2f} times one process (wanted 1.8)")
    return small, large


def bench_packing_growth(folder, small, large):
    """Rates and memory of packing ten times as many images."""
    few, many, bare = [], [], []
    for _ in range(ROUNDS):
        few.append(result(start(0, "pack", small, 0, 1, folder / "s")))
        many.append(result(start(0, "pack", large, 0, 1, folder / "l")))
        bare.append(result(start(0, "decode", large)))
    cost = ratio(rates(few, "per_cpu_second"), rates(many, "per_cpu_second"))
    line("ours, 10 times the images", rates(many), f"{cost:.2f} times the CPU seconds per image (wanted 1)")
    line("bare, 10 times the images", rates(bare), f"ours {ratio(rates(many), rates(bare)):.2f} of it")
    print(f"  peak memory of a process: {few[0]['MB']:.0f} MB, with 10 times the images {many[0]['MB']:.0f} MB\n")


def rates(results, key="rate"):
    """One number of each worker's result."""
    return [one[key] for one in results]


class CropAndSubtract:
    """Random crop and mirror, float, minus the mean image at the place of the crop, as lean as torchvision allows."""

    def __init__(self, mean_image, crop):
        self.mean, self.crop = torch.from_numpy(mean_image).permute(2, 0, 1).float(), crop

    def __call__(self, image):
        top, left = torch.randint(0, image.shape[1] - self.crop + 1, (2,)).tolist()
        place = slice(top, top + self.crop), slice(left, left + self.crop)
        pixels = image[:, place[0], place[1]] - self.mean[:, place[0], place[1]]
        return pixels.flip(2) if torch.rand(()) < 0.5 else pixels


def image_folder_rate(tree, size, mean_image, crop, images):
    """ImageFolder and a DataLoader of two workers, after their first batch."""
    resize = [] if size is None else [v2.Resize((size, size))]
    transform = v2.Compose([*resize, v2.PILToTensor(), CropAndSubtract(mean_image, crop)])
    loader = DataLoader(
        datasets.ImageFolder(tree / "train", transform), 64, shuffle=True, num_workers=2, drop_last=True
    )
    batches = iter(loader)
    next(batches)
    started, count = time.perf_counter(), 0
    for batch, _ in batches:
        count += len(batch)
        if count >= images:
            break
    return count / (time.perf_counter() - started)


def packed(tree, folder, size):
    """The packed store of `tree` and a task of all its classes."""
    store = pack(FOLDER, tree, folder, size, train_shards=1)
    return store, make_task(store, list(FolderDataset(tree).names))


def our_rate(store, task, crop, images):
    """Our batches on one thread, after the first."""
    torch.set_num_threads(1)
    splits = PackedSplit(store, "train"), PackedSplit(store, "val")
    batches = Batches(*splits, task, task.mean_image, crop, 1.0, torch.device("cpu"))
    stream = batches.training(0, 64, 0, images // 64 + 1)
    next(stream)
    started = time.perf_counter()
    count = sum(len(batch) for batch, _ in stream)
    return count / (time.perf_counter() - started)


def bench_serving(title, wanted, store, task, crop, peers, images):
    """Ours against each of `peers`, {description: (tree, size or None)}."""
    ours, theirs = [], {name: [] for name in peers}
    for _ in range(ROUNDS):
        ours.append(our_rate(store, task, crop, images))
        for name, (tree, size) in peers.items():
            theirs[name].append(image_folder_rate(tree, size, task.mean_image, crop, images // 20))
    print(title)
    line("ours, one thread", ours)
    for name, peer in theirs.items():
        line(f"ImageFolder, {name}", peer, f"ours {ratio(ours, peer):.1f} times as fast{wanted}")
        wanted = ""


def bench_growth(store, task, crop, images):
    """Our batches from a tenth of the task's images and from all of them."""
    few = type(task)(**vars(task) | {name: getattr(task, name)[::10] for name in ("train_positions", "train_labels")})
    tenth, whole = [], []
    for _ in range(ROUNDS):
        tenth.append(our_rate(store, few, crop, images))
        whole.append(our_rate(store, task, crop, images))
    line("ours, a tenth of the images", tenth, f"{ratio(tenth, whole):.2f} times the rate (wanted 1)\n")


def resized(tree, folder):
    """The photographs of `tree` resized to 256 x 256 beforehand, as JPEGs of quality 90."""
    for file in (tree / "train").glob("*/*"):
        place = folder / "train" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            image.convert("RGB").resize((SIZE, SIZE)).save(place, "JPEG", quality=90)
    return folder


def cold_rate(store, read, images):
    """Images per second that `read(positions)` gets in batches of 64, none of them in memory before."""
    random = np.random.default_rng(0)
    for file in store.parent.glob("*.u8"):
        with open(file, "rb") as pixels:
            os.posix_fadvise(pixels.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    order = random.permutation(images)[: images // 4]  # few, so that few come with their neighbours
    started = time.perf_counter()
    for start in range(0, len(order), 64):
        read(order[start : start + 64])
    return len(order) / (time.perf_counter() - started)


def bench_cold(store):
    """Whole images of 256 pixels in random order from the disk, ours and by indexing a memmap."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        split = PackedSplit(store, "train")
        ours.append(cold_rate(store, split.images, len(split)))
        shape = (len(split), SIZE, SIZE, 3)
        del split  # pages that are mapped stay in memory
        memmap = np.memmap(store.parent / "train-000.u8", dtype=np.uint8, mode="r", shape=shape)
        theirs.append(cold_rate(store, memmap.__getitem__, len(memmap)))
        del memmap
    print("\nReading images of 256 pixels in random order from the disk")
    line("ours", ours)
    line("numpy's memmap", theirs, f"ours {ratio(ours, theirs):.1f} times as fast")


def bench_index(folder):
    """The index of an archive of ImageNet's size: 1000 members of 138 MB, of which only headers are on this disk."""
    path, size = folder / "ILSVRC2012_img_train.tar", 138_000_000 // 512 * 512
    write_sparse_tar(path, 1000, size)
    seconds, read = [], []
    for _ in range(ROUNDS):
        before, started = bytes_read(), time.perf_counter()
        members = tar_index(path).members
        seconds.append(time.perf_counter() - started)
        read.append(bytes_read() - before)
    print(
        f"Indexing an archive of {len(members)} classes, {path.stat().st_size / 1e9:.0f} GB: "
        f"{1000 * statistics.median(seconds):.0f} ms (wanted under 1000), {statistics.median(read) / 1e6:.2f} MB read\n"
    )


def empty_tree(folder, files, classes=200):
    """A tree of empty files, 95 of 100 of them training images, in `classes` classes."""
    for number in range(files):
        name, split = f"class{number % classes:04d}", "val" if number // classes % 20 == 0 else "train"
        place = folder / split / name
        if number < 2 * 20 * classes:
            place.mkdir(parents=True, exist_ok=True)
        os.close(os.open(place / f"{name}_{number}.JPEG", os.O_CREAT | os.O_WRONLY))
    return folder


def survey(tree):
    """Survey a tree as the step does, with what it holds; returns the number of its images."""
    dataset = open_dataset(FOLDER, tree)
    counts = dataset.survey()
    dataset_content(FOLDER, tree)
    return sum(counts.values())


def bench_survey(folder):
    """Time and memory of surveying trees of 50,000 and 200,000 empty files, and what follows for 1.3 million."""
    print("Surveying a tree of empty files: classes, counts, content")
    seconds, memory = {}, {}
    for files in (50_000, 200_000):
        tree = empty_tree(folder / f"empty{files}", files)
        rounds = [result(start(0, "survey", tree)) for _ in range(ROUNDS)]
        seconds[files] = statistics.median(files / one["rate"] for one in rounds)
        memory[files] = max(one["MB"] for one in rounds)
        wanted = " (wanted under 10 s and 300 MB)" if files == 200_000 else ""
        print(f"  {files:,} files: {seconds[files]:.2f} s, {memory[files]:.0f} MB{wanted}")
    few, many = seconds
    grown = (1_300_000 - many) / (many - few)
    later = [kind[many] + grown * (kind[many] - kind[few]) for kind in (seconds, memory)]
    print(f"  1,300,000 files at this growth: {later[0]:.0f} s, {later[1]:.0f} MB\n")


def bytes_read():
    """Bytes that this process has read so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def main():
    """All of it, with the machine's name first."""
    if not SHARED.is_dir():
        sys.exit(f"{SHARED} is missing: it holds the real images that this benchmark needs")
    print(f"{machine()}; medians of {ROUNDS} rounds (least to most)\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench_index(folder)
        bench_survey(folder)
        tree, large = bench_packing(folder)
        bench_packing_growth(folder, tree, large)
        bench_torchvision(folder / "torchvision", tree)
        with tarfile.open(SHARED / "data" / "cifar100_small.tar") as tar:
            tar.extractall(folder, filter="data")
        cifar = folder / "cifar100_small"
        store, task = packed(cifar, folder / "cifar_store", 36)
        title, peers = "Serving batches of 64, 32 of 36 pixels (CIFAR-100 as PNG)", {"PNG files": (cifar, 36)}
        bench_serving(title, " (wanted 20)", store, task, 32, peers, 100_000)
        bench_growth(store, task, 32, 100_000)
        store, task = packed(tree, folder / "photo_store", SIZE)
        title = "Serving batches of 64, 227 of 256 pixels (ImageNet photographs)"
        peers = {"their JPEG files": (tree, SIZE), "resized beforehand": (resized(tree, folder / "resized"), None)}
        bench_serving(title, " (wanted 5)", store, task, 227, peers, 4_000)
        store, _ = packed(large, folder / "large_store", SIZE)
        bench_cold(store)


def worker(task, *arguments):
    """Run a task; print images per second and per CPU second, and this process' peak memory."""
    tree = Path(arguments[0])
    before, started = time.process_time(), time.perf_counter()
    if task.endswith("_torchvision"):
        images, started, before = {"read": read_bare, "pack": pack_torchvision}[task.split("_")[0]](tree, arguments[1])
    else:
        images = {"decode": decode_bare, "pack": pack_one, "survey": survey}[task](tree, *arguments[1:])
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - before
    status = Path("/proc/self/status").read_text()  # getrusage would count the parent's memory before exec
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    measured = {"rate": images / seconds, "per_cpu_second": images / cpu_seconds, "MB": int(peak.split()[1]) / 1000}
    print(json.dumps(measured))


if __name__ == "__main__":
    worker(*sys.argv[1:]) if len(sys.argv) > 1 else main()
