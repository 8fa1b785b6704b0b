"""One private Slurm for all cluster tests; they skip, with the reason, where it cannot be."""

import shutil
import tempfile
from pathlib import Path

import pytest
from helpers import CLUSTER_PYTHON
from slurm import Cluster, missing


@pytest.fixture(scope="session")
def plugins():
    """The Python of .venv, with the plugins of requirements-cluster.txt."""
    if not Path(CLUSTER_PYTHON).exists():
        pytest.skip("requirements-cluster.txt is not installed: make environment-cluster")
    return CLUSTER_PYTHON


@pytest.fixture(scope="session")
def cluster(plugins):
    if reason := missing():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # sockets' paths must be short
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
