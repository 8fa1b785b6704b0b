"""What the catalog of Snakemake's workflows reads: https://snakemake.github.io/snakemake-workflow-catalog."""

import yaml
from helpers import ROOT

DEPLOYMENTS = {"conda", "apptainer", "apptainer+conda"}


def test_the_catalogs_file_has_its_keys():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert set(usage["software-stack-deployment"]) == DEPLOYMENTS | {"report"}
    assert all(isinstance(value, bool) for value in usage["software-stack-deployment"].values())


def test_the_catalog_finds_the_workflow():
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "Snakefile").is_file() and list((ROOT / "rules").glob("*.smk"))


def test_no_deployment_is_claimed_that_was_never_run():
    """README and docs/clusters.md say what was; whoever runs one changes both."""
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    never_run = "`snakemake --sdm conda`" in (ROOT / "README.md").read_text().split("## What has never been run")[1]
    assert usage["software-stack-deployment"]["conda"] is not never_run
