"""Input functions of the rules: which files a job reads, and which of them are `ancient`, as their records track them.

Light on purpose: the Snakefile calls this at parse time.
"""

from collections.abc import Mapping, Sequence

from snakemake.io import ancient

from workflow_scripts.study.datasets import dataset_of, pair_halves, study_datasets
from workflow_scripts.study.jobs import PRETRAINED, TrainingJob
from workflow_scripts.study.lines import SeedLine, line_jobs
from workflow_scripts.study.paths import results_folder, shard_files, store_folder

Files = dict[str, str | list[str]]


class RuleInputs:
    """The input files of a study's rules, by the names that their steps have for them.

    `config` is a checked configuration. `network` are files that are made and checked before any training.
    """

    def __init__(self, config: Mapping, network: Sequence[str], pretrained: str) -> None:
        self.config, self.network, self.pretrained = config, network, pretrained
        self.results = str(results_folder(config))
        self.datasets = study_datasets(config)
        self.stores = {name: str(store_folder(one)) for name, one in self.datasets.items()}

    def half_dataset(self, wildcards: Mapping) -> dict:
        """The configuration with the dataset of a rule's half, or target, as its own."""
        half = wildcards.get("half") or wildcards["target"]
        return self.datasets[dataset_of(self.config, wildcards["partition"], half)]

    def shards(self, name: str, *suffixes: str) -> list[str]:
        """The files with these suffixes of a dataset's shards; the manifest tracks their content."""
        return [ancient(file) for file in shard_files(self.datasets[name], *suffixes)]

    def store(self, name: str, lead: str = "") -> Files:
        """The packed store of a dataset for reading."""
        store = self.stores[name]
        files = {"manifest": f"{store}/manifest.json", "shards": self.shards(name, "u8", "csv", "crc")}
        files |= {"classes": f"{store}/classes.csv", "survey": ancient(f"{store}/survey.json")}
        return _led(lead, files)

    def classes(self, name: str, lead: str = "") -> Files:
        """What the survey of a dataset says of its classes."""
        store = self.stores[name]
        files = {table: f"{store}/{table}.csv" for table in ("classes", "hierarchy")}
        return _led(lead, files | {"survey": ancient(f"{store}/survey.json")})

    def task(self, job: TrainingJob, lead: str = "") -> Files:
        """A job's task and the record that tracks its content: touching the file retrains nothing."""
        task = f"{self.results}/{job.task}"
        return _led(lead, {"task": ancient(f"{task}.npz"), "task_record": f"{task}.json"})

    def weights(self, stem: str, lead: str = "") -> Files:
        """The weights of a network, and the record that tracks them."""
        return _led(lead, {"weights": ancient(f"{stem}.safetensors"), "record": f"{stem}.json"})

    def partition(self, partition: str, half: str) -> str:
        """The file that lists the classes of a half."""
        name = f"{partition}-{half}" if pair_halves(self.config, partition) else partition
        return f"{self.results}/partitions/{name}.json"

    def of_plot(self, wildcards: Mapping) -> Files:
        """Of the contact sheet of a dataset, and of its duplicates."""
        return self.store(wildcards["dataset"])

    def of_partition(self, wildcards: Mapping) -> Files:
        """Of a partition of the study's own dataset."""
        return self.classes(self.config["dataset"]["name"])

    def of_half(self, wildcards: Mapping) -> Files:
        """Of a half of a pair: what the survey of its dataset says of its classes."""
        return self.classes(dataset_of(self.config, wildcards["partition"], wildcards["half"]))

    def of_task(self, wildcards: Mapping) -> Files:
        """Of a task: the packed store of its half's dataset, and its partition."""
        partition, half = wildcards["partition"], wildcards["half"]
        store = self.store(dataset_of(self.config, partition, half))
        return store | {"partition": self.partition(partition, half)}

    def of_training(self, wildcards: Mapping) -> Files:
        """Of a training: store, task and, for a curve, its source's task (for the mean image) and network."""
        job = TrainingJob.from_wildcards(wildcards)
        files = self.store(dataset_of(self.config, job.partition, job.target)) | self.task(job)
        if (source := job.source_job) is not None:
            files |= self.task(source, "source_")
            files |= self.weights(f"{self.results}/{source.stem}", "source_")
        if job.source == PRETRAINED:
            files |= self.weights(self.pretrained, "source_")
        return files | {"network": [ancient(file) for file in self.network]}

    def of_features(self, wildcards: Mapping) -> Files:
        """Of the features of a source for the images of a task: what a frozen curve's training has."""
        return self.of_training(wildcards)

    def of_probes(self, wildcards: Mapping) -> Files:
        """Of probes: the features, the task that they are of and, perhaps of drawn images, the target's own."""
        job = TrainingJob.from_wildcards(wildcards)
        features = f"{self.results}/{job.features}"
        files = {"features": ancient(f"{features}.npy"), "features_record": f"{features}.json"}
        return files | self.task(job.of_features, "features_") | self.task(job)

    def of_comparison(self, wildcards: Mapping) -> Files:
        """Of comparing base networks: stores, tasks and networks of both halves of a partition."""
        files, partition, seed = {}, wildcards["partition"], int(wildcards["seed"])
        for half in "AB":
            lead = f"{half.lower()}_"
            base = TrainingJob.base(partition, seed, half)
            files |= self.store(dataset_of(self.config, partition, half), lead) | self.task(base, lead)
            files |= self.weights(f"{self.results}/{base.stem}", lead)
        return files

    def line_dataset(self, line: SeedLine) -> dict:
        """The configuration with the dataset of the target of a line's networks as its own."""
        return self.datasets[dataset_of(self.config, line.first.partition, line.first.target)]

    def of_line(self, line: SeedLine, study: Mapping) -> Files:
        """Of lines between networks of two seeds: the store, the tasks, and the networks of both ends.

        `study` is the configuration once the depths of curves are known.
        """
        files = self.store(self.line_dataset(line)["dataset"]["name"]) | self.task(line.first)
        if (source := line.first.source_job) is not None:
            files |= self.task(source, "source_")
        for lead, end in (("", line.first), ("other_", line.second)):
            stems = [f"{self.results}/{job.stem}" for job in line_jobs(study, end)]
            files[f"{lead}weights"] = [ancient(f"{stem}.safetensors") for stem in stems]
            files[f"{lead}records"] = [f"{stem}.json" for stem in stems]
        return files


def _led(lead: str, files: Files) -> Files:
    return {f"{lead}{name}": file for name, file in files.items()}
