"""What several test modules share besides fixtures."""

import io
import itertools
import json
import re
import tarfile
from pathlib import Path

import pandas as pd
import yaml
from snakemake.utils import update_config

from workflow_scripts.config.given import fill_datasets
from workflow_scripts.config.network_input import fill_auto
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.dataset.tables import class_tables
from workflow_scripts.partition.make_task import write_task
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.store.pack_manifest import manifest
from workflow_scripts.store.pack_shard import pack_shard

ROOT = Path(__file__).parent.parent
PYTHON = str(ROOT / ".venv/bin/python")  # of a user, without what only tests need; pytest has an environment of its own
CLUSTER_PYTHON = str(ROOT / ".venv-cluster/bin/python")  # the same, and requirements-cluster.txt
TRAIN_PER_CLASS, VAL_PER_CLASS, SIZE = 6, 3, 36
SAMPLE, ILSVRC, FOLDER = ({"kind": kind} for kind in ("sample", "ilsvrc", "folder"))  # leaves.dataset_leaves


def default_config(*studies):
    """config.yaml, with these files of configs/ over it, as the Snakefile reads it."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for study in studies:
        update_config(config, yaml.safe_load((ROOT / "configs" / study).read_text()))
    fill_datasets(config, ROOT / "config.yaml")
    fill_auto(config)
    return config


def pack(dataset, path, folder, size=SIZE, max_bad_fraction=0.0, train_shards=2, resize="warp"):
    """Pack a dataset into `folder` in this process; returns the path of the manifest."""
    opened = open_dataset(dataset, str(path))
    records = []
    for split, shards in (("train", train_shards), ("val", 1)):
        for shard in range(shards):
            prefix = folder / f"{split}-{shard:03d}"
            record = pack_shard(opened, split, shard, shards, size, resize, max_bad_fraction, 1, str(prefix))
            write_record(f"{prefix}.json", record)
            records.append(prefix.with_name(f"{prefix.name}.json"))
    classes, hierarchy = class_tables(opened.class_list())
    tables = [folder / "classes.csv", folder / "hierarchy.csv"]
    classes.to_csv(tables[0])
    hierarchy.to_csv(tables[1], index=False)
    write_record(folder / "survey.json", {}, tables)
    write_record(folder / "manifest.json", manifest(size, resize, opened.class_list().names, records))
    return folder / "manifest.json"


def save_tasks(tasks, manifest, folder):
    """Write the tasks of random0's halves, and their records, into `folder`."""
    for half, task in tasks.items():
        write_task(task, folder / f"{half}.npz", {"partition": "random0", "half": half}, [manifest])


def results_of(folder, study="tiny"):
    """The results of a study in a checkout, timings apart."""
    return pd.read_csv(folder / f"results/{study}/results.csv").drop(columns=["job_seconds", "images_per_second"])


def write_sparse_tar(path, members, size):
    """A tar of `members` files n00000000.tar.. of `size` bytes (a multiple of 512) that take no room on the disk."""
    with open(path, "wb") as file:
        for number in range(members):
            info = tarfile.TarInfo(f"n{number:08d}.tar")
            info.size = size
            file.write(info.tobuf(tarfile.GNU_FORMAT))
            file.seek(size, io.SEEK_CUR)
        file.write(bytes(10240))


def alias_bomb(first, opened, closed):
    """YAML of ten lines whose aliases stand for nine to the ninth values (`opened` and `closed` as of each line)."""
    lines = [f"a: &a {first}"]
    for below, name in itertools.pairwise("abcdefghij"):
        keys = [f"k{number}: " if opened == "{" else "" for number in range(9)]
        lines.append(f"{name}: &{name} {opened}{', '.join(f'{key}*{below}' for key in keys)}{closed}")
    return "\n".join(lines) + "\n"


def check_report(page, folder, figures, drawn, packed=None):
    """Check that Snakemake's own report, a page's text, shows all that a reader wants, each with labels and a caption.

    `drawn` is the study's results directory below `folder`, and `packed` that of its store, if it has one.
    """
    results = page.partition('<script id="results">')[2].partition("=")[2]
    shown, _ = json.JSONDecoder().raw_decode(results.strip())
    wanted = {f"{drawn}/figures/{figure}.{kind}" for figure in figures for kind in ("png", "svg", "pdf")}
    wanted |= {str(path.relative_to(folder)) for path in (folder / drawn / "tables").glob("*.csv")}
    wanted |= {f"{drawn}/{name}" for name in ("report.html", "results.csv")}
    if packed:
        wanted -= {f"{drawn}/tables/filters.csv"}  # a row a filter; shares.csv sums it up
        wanted |= {f"{drawn}/cost.csv", f"{drawn}/learning_curves.csv"}
        wanted |= {f"{packed}/{name}" for name in ("contact_sheet.png", "quarantine.csv", "duplicates.csv")}
    assert set(shown) == wanted
    labels = [tuple(entry["labels"].items()) for entry in shown.values()]
    assert len(set(labels)) == len(labels)
    assert all(labels)
    assert all(re.match("<p>.{20}", entry["caption"], re.DOTALL) for entry in shown.values())
    titles = {path: entry["labels"]["figure"] for path, entry in shown.items() if "/figures/" in path}
    assert all(title in shown[path]["caption"] for path, title in titles.items())
