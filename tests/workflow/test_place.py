"""The workflow used from elsewhere: other folders, a module of another workflow, a submitted job, read-only folders."""

import os
import shutil
import subprocess

import pytest
import yaml
from helpers import PYTHON, ROOT

SNAKEFILE = ROOT / "Snakefile"
NO_DATA = {"study": "far", "dataset": {"name": "far", "kind": "ilsvrc", "path": "archives"}}
IMPORTER = """
configfile: "config/config.yaml"


module bare:
    snakefile:
        "ABSOLUTE"


use rule * from bare as bare_*


module one:
    snakefile:
        "RELATIVE"
    config:
        config["one"]
    prefix:
        "below/one"


use rule * from one as one_*


module two:
    snakefile:
        "ABSOLUTE"
    config:
        config["two"]


use rule * from two exclude draw_sample, survey_dataset, pack_shard, pack_manifest, find_duplicates, plot_store \
    as *_of_two


rule mine:
    default_target: True
    input:
        rules.one_all.input,
        rules.results_of_two.input,
    output:
        "mine.txt",
    shell:
        "echo $PYTHONPATH > {output}"
"""


def snakemake(folder, *options, check=True, lead=(), **variables):
    """Run Snakemake in `folder` and return what it printed."""
    command = [*lead, PYTHON, "-P", "-m", "snakemake", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE")} | variables
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def write(folder, name, config):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(yaml.safe_dump(config))


@pytest.fixture
def importer(tmp_path):
    """A folder with a workflow that imports this one three times; its own config.yaml means something else."""
    folder = tmp_path / "workflow"
    folder.mkdir()
    text = IMPORTER.replace("ABSOLUTE", str(SNAKEFILE)).replace("RELATIVE", os.path.relpath(SNAKEFILE, folder))
    (folder / "Snakefile").write_text(text)
    write(tmp_path, "config.yaml", {"samples": ["a"]})
    one = {"study": "one", "results_table": "configs/published_results.csv"}
    write(tmp_path, "config/config.yaml", {"genome": "hg38", "one": one, "two": {"study": "two", "seeds": ["0", "1"]}})
    return tmp_path


def test_from_another_folder(tmp_path):
    write(tmp_path, "studies/mine.yaml", {"study": "mine", "depths": [1]})
    printed = snakemake(tmp_path, "-s", SNAKEFILE, "-n", "--configfile", "studies/mine.yaml")
    assert "results/mine/networks/random0/seed0/base-A.json" in printed


def test_a_config_yaml_of_the_working_directory_goes_over_the_defaults(tmp_path):
    write(tmp_path, "work/config.yaml", {"study": "here", "training": {"duration": 20}})
    options = ["-s", SNAKEFILE, "--directory", "work", "-n", "bases"]
    printed = snakemake(tmp_path, *options, "--config", "training={validate_every: 10}", "seeds=[3, 4]", "-p")
    assert printed.count("results/here/networks/random0/seed3/base-A.json") > 0
    assert '"duration": 20' in printed and '"validate_every": 10' in printed and '"batch_size": 64' in printed
    assert not (tmp_path / "results").exists()
    write(tmp_path, "work/config.yaml", {"sudy": "here"})
    printed = snakemake(tmp_path, *options, check=False)
    assert "error: configuration: sudy: the key is unknown. Did you mean study?" in printed


def test_a_module_has_its_own_configuration_and_place(importer):
    printed = snakemake(importer, "-n")
    for file in ("below/one/results/one/report.html", "results/two/results.csv", "below/one/results/one/results.csv"):
        assert file in printed
    assert "results/two/networks/random0/seed1/base-A.json" in printed
    assert "import_results" in printed and "train_base_of_two" in printed
    assert str(ROOT / "configs/published_results.csv") in snakemake(importer, "-n", "-p", "one_results")
    assert "results/sample/networks" in snakemake(importer, "-n", "bare_bases")


def test_a_module_asks_for_its_data_only_where_they_are_used(importer):
    config = yaml.safe_load((importer / "config/config.yaml").read_text())
    write(importer, "config/config.yaml", config | {"one": NO_DATA})
    assert "below/one/results/far/calibration.json" in snakemake(importer, "-n", "one_plan")
    snakemake(importer, "-n", "bare_all", "results_of_two")
    printed = snakemake(importer, "-n", check=False)
    (line,) = [line for line in printed.splitlines() if "rror" in line]
    assert line.startswith("error: configuration: dataset.path: archives")
    write(importer, "config/config.yaml", config | {"one": config})
    printed = snakemake(importer, "-n", check=False)
    assert "error: configuration: genome: the key is unknown." in printed and "Traceback" not in printed


def test_another_package_of_the_same_name_is_named(importer):
    (importer / "workflow/workflow_scripts").mkdir()
    (importer / "workflow/workflow_scripts/__init__.py").touch()
    snakefile = importer / "workflow/Snakefile"
    snakefile.write_text("import workflow_scripts\n" + snakefile.read_text())
    printed = snakemake(importer, "-n", check=False)
    assert f"error: {ROOT}: its workflow_scripts cannot be imported." in printed and "Traceback" not in printed


@pytest.mark.slow
def test_modules_of_python_in_the_working_directory_are_not_imported(tmp_path):
    for name in ("queue.py", "workflow_scripts/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise SystemExit('imported from the working directory')\n")
    assert "Study sample: 82 networks" in snakemake(tmp_path, "-s", SNAKEFILE, "--cores", "1", "plan")


@pytest.mark.slow
def test_a_module_is_run_below_its_prefix(importer):
    snakemake(importer, "--cores", "2", "one_all", PYTHONPATH="/of/mine")
    assert (importer / "below/one/results/one/report.html").exists()
    assert not (importer / "results").exists()
    assert "match their records" in snakemake(importer, "--cores", "1", "one_verify")
    assert "Nothing to be done" in snakemake(importer, "--cores", "1", "one_all")


@pytest.mark.slow
def test_a_submitted_job_does_none_of_the_first_processs_checks(tmp_path):
    """The plan needs no data. Its calibration is a process of its own, whose command line does not name the plan."""
    write(tmp_path, "far.yaml", NO_DATA)
    options = ["-s", SNAKEFILE, "--configfile", "far.yaml", "--config", "seeds=[0, 1]", "training={batch_size: 8}"]
    printed = snakemake(tmp_path, *options, "-n", "plan")
    assert "calibrate" in printed
    assert "dataset.path: archives" in snakemake(tmp_path, *options, "-n", "calibrate", "tasks", check=False)
    job = ["--mode", "remote", "--target-jobs", "calibrate:", "--allowed-rules", "calibrate", "--force", "--nolock"]
    job += ["--no-hooks", "--ignore-incomplete", "--cores", "1"]
    snakemake(tmp_path, *options, *job)
    assert (tmp_path / "results/far/calibration.json").exists()


@pytest.fixture(scope="module")
def read_only(checkout):
    """A copy of the workflow that may not be written to but for Snakemake's notes."""
    if os.getuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("setpriv is missing: it lets root obey the permissions of files")
    folder = checkout(None).folder
    (folder / ".snakemake").mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def obeying(folder, *options, **more):
    """Run Snakemake as a user whom permissions bind."""
    dropped = "-dac_override,-dac_read_search"
    lead = ["setpriv", "--bounding-set", dropped, "--inh-caps", dropped] if os.getuid() == 0 else []
    return snakemake(folder, *options, lead=lead, **more)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        *("-n", "-np", "-n verify", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--summary", "--list-rules"),
        *("--detailed-summary", "--list-target-rules", "--lint", "--list-changes code", "--list-params-changes"),
        "--unlock",
    ],
)
def test_a_folder_that_is_read_only_can_be_read(read_only, options):
    obeying(read_only, *options.split())


def test_a_folder_that_is_read_only_cannot_be_filled(read_only):
    printed = obeying(read_only, "--cores", "1", check=False)
    assert f"error: {read_only}: the folder cannot be written to. Work in a folder of your own" in printed
    assert "Traceback" not in printed
    notes = read_only / ".snakemake"
    notes.chmod(0o555)
    try:
        obeying(read_only, "--list-rules")
        assert f"error: {notes}: the folder cannot be written to" in obeying(read_only, "-n", check=False)
    finally:
        notes.chmod(0o755)
