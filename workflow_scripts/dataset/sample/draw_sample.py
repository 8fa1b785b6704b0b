"""Step: draw the sample dataset, a miniature ImageNet in the format of the ILSVRC-2012 archives.

Writes ILSVRC2012_img_train.tar (one tar per WNID), ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz (meta.mat
with the synsets and their hierarchy, ground truth), and their checksums in sample.json. The same seed and sizes give
the same bytes.
"""

import argparse
import functools
import gzip
import io
import tarfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import scipy.io

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES
from workflow_scripts.dataset.sample.classes import SAMPLE_CLASSES, SampleClass, draw_image
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import atomic_path, sha256_file
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.study.seeds import derive_seed

ENTITY, NATURAL, ARTIFACT = "n00001740", "n00019128", "n00021939"  # WordNet's entity, natural object, artifact
TRAIN_TAR, VAL_TAR, DEVKIT = ILSVRC_ARCHIVES
DEVKIT_FOLDER = "ILSVRC2012_devkit_t12/data"


def draw_class(split: str, count: int, seed: int, sample_class: SampleClass) -> list[bytes]:
    """`count` JPEGs of one class; each depends on (seed, WNID, split, its number) alone."""
    encoded = []
    for number in range(count):
        random = np.random.default_rng(derive_seed(seed, sample_class.wnid, split, number))
        buffer = io.BytesIO()
        draw_image(sample_class, random).save(buffer, "JPEG", quality=int(random.integers(80, 96)))
        encoded.append(buffer.getvalue())
    return encoded


def synsets(train_per_class: int, seed: int) -> list[dict]:
    """The rows of meta.mat: the classes with shuffled ILSVRC2012_IDs 1..C, then the inner nodes of the hierarchy."""
    order = np.random.default_rng(derive_seed(seed, "ILSVRC2012_ID")).permutation(len(SAMPLE_CLASSES))
    leaves = [SAMPLE_CLASSES[position] for position in order]
    parents: dict[str, list[str]] = {ENTITY: [NATURAL, ARTIFACT], NATURAL: [], ARTIFACT: []}
    words = {ENTITY: "entity", NATURAL: "natural object", ARTIFACT: "artifact, artefact"}
    for leaf in SAMPLE_CLASSES:
        top = NATURAL if leaf.half == "natural" else ARTIFACT
        inner = f"n8{derive_seed(leaf.half, leaf.outline) % 10**7:07d}"
        if inner not in parents:
            parents[top].append(inner)
            words[inner] = f"{leaf.half} things of outline {leaf.outline}"
        parents.setdefault(inner, []).append(leaf.wnid)
    ids = {wnid: number for number, wnid in enumerate([*(leaf.wnid for leaf in leaves), *parents], start=1)}
    rows = [_synset(ids, leaf.wnid, leaf.words, leaf.gloss, [], 0, train_per_class) for leaf in leaves]
    heights = {ENTITY: 3, NATURAL: 2, ARTIFACT: 2}
    return rows + [
        _synset(ids, wnid, words[wnid], words[wnid], children, heights.get(wnid, 1), 0)
        for wnid, children in parents.items()
    ]


def _synset(
    ids: dict[str, int], wnid: str, words: str, gloss: str, children: list[str], height: int, images: int
) -> dict:
    return {
        "ILSVRC2012_ID": float(ids[wnid]),
        "WNID": wnid,
        "words": words,
        "gloss": gloss,
        "num_children": float(len(children)),
        "children": np.array([float(ids[child]) for child in children]),
        "wordnet_height": float(height),
        "num_train_images": float(images),
    }


def meta_mat(rows: list[dict]) -> bytes:
    """The bytes of meta.mat with the N x 1 struct array `synsets`."""
    array = np.zeros((len(rows), 1), dtype=[(name, object) for name in rows[0]])
    for row, record in zip(rows, array[:, 0], strict=True):
        for name, value in row.items():
            record[name] = value
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"synsets": array})
    # The first 116 bytes are free text, into which scipy writes the time of day.
    return b"MATLAB 5.0 MAT-file, drawn sample".ljust(116) + buffer.getvalue()[116:]


def write_tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    """Write `members` (name, bytes) as a tar without times or owners, compressed if the name ends in .gz; atomic."""
    packed = tar_bytes(members)
    with atomic_path(path) as temporary:
        temporary.write_bytes(gzip.compress(packed, mtime=0) if path.suffix == ".gz" else packed)


def tar_bytes(members: list[tuple[str, bytes]]) -> bytes:
    """A tar of `members` (name, bytes) in memory; the sample's largest is a few tens of MB."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def draw_sample(folder: Path, seed: int, train_per_class: int, val_per_class: int, processes: int) -> dict[str, str]:
    """Write the three archives of the sample into `folder`; returns their SHA-256 by name."""
    wnids = [sample_class.wnid for sample_class in SAMPLE_CLASSES]
    with ProcessPoolExecutor(processes) as pool:
        train = list(pool.map(functools.partial(draw_class, "train", train_per_class, seed), SAMPLE_CLASSES))
        val = list(pool.map(functools.partial(draw_class, "val", val_per_class, seed), SAMPLE_CLASSES))
    rows = synsets(train_per_class, seed)
    ids = {row["WNID"]: int(row["ILSVRC2012_ID"]) for row in rows}
    inner_tars = [
        (f"{wnid}.tar", tar_bytes([(f"{wnid}_{number}.JPEG", data) for number, data in enumerate(images, start=1)]))
        for wnid, images in zip(wnids, train, strict=True)
    ]
    labelled = [(ids[wnid], data) for wnid, images in zip(wnids, val, strict=True) for data in images]
    shuffled = np.random.default_rng(derive_seed(seed, "validation order")).permutation(len(labelled))
    truth = "".join(f"{labelled[position][0]}\n" for position in shuffled)
    val_members = [
        (f"ILSVRC2012_val_{number:08d}.JPEG", labelled[position][1])
        for number, position in enumerate(shuffled, start=1)
    ]
    devkit = [
        (f"{DEVKIT_FOLDER}/meta.mat", meta_mat(rows)),
        (f"{DEVKIT_FOLDER}/ILSVRC2012_validation_ground_truth.txt", truth.encode()),
    ]
    write_tar(folder / TRAIN_TAR, inner_tars)
    write_tar(folder / VAL_TAR, val_members)
    write_tar(folder / DEVKIT, devkit)
    return {name: sha256_file(folder / name) for name in (TRAIN_TAR, VAL_TAR, DEVKIT)}


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--train-per-class", type=int, required=True)
    parser.add_argument("--val-per-class", type=int, required=True)
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    checksums = draw_sample(args.folder, args.seed, args.train_per_class, args.val_per_class, args.processes)
    settings = {name: getattr(args, name) for name in ("seed", "train_per_class", "val_per_class")}
    record = {"files": checksums, "provenance": provenance("dataset.sample.draw_sample", settings)}
    write_record(args.folder / "sample.json", record)


if __name__ == "__main__":
    cli.run(main)
