"""One private Slurm for all cluster tests; they skip, with the reason, where it cannot be."""

import shutil
import tempfile
from pathlib import Path

import pytest
from slurm import Cluster, missing


@pytest.fixture(scope="session")
def cluster():
    if reason := missing():
        pytest.skip(reason)
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="requirements-cluster.txt is not installed")
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # sockets' paths must be short
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
