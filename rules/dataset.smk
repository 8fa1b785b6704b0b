# The dataset: its archives (drawn for kind `sample`, else the user's) and its survey before anything is decoded.
#   needs  the files at dataset.path (for `sample` nothing)
#   makes  data/<name>/archives/ (`sample` only), what torchvision downloads into dataset.root, and in the store's folder
#          classes.csv, hierarchy.csv, survey.json, split.csv (no rows where validation images are not drawn), and
#          dataset.json, which says what the dataset was, wherever it lies (not removed before a new survey)
if SAMPLES:

    rule draw_sample:
        """Draw the miniature ImageNet as ILSVRC-2012 archives."""
        output:
            [str(file) for file in dataset_files({"kind": "sample"}, f"{DATASET}/archives")],
            record=f"{DATASET}/archives/sample.json",
        log:
            f"{DATASET}/logs/draw_sample.log",
        benchmark:
            f"{DATASET}/benchmarks/draw_sample.tsv"
        wildcard_constraints:
            dataset=any_of(SAMPLES),
        conda:
            "../envs/data.yaml"
        threads: 2
        resources:
            mem_mb=lambda wildcards: resources.sample_memory(DATASETS[wildcards.dataset]),
            runtime=lambda wildcards, threads: resources.sample_minutes(DATASETS[wildcards.dataset], threads),
        params:
            folder=lambda wildcards, output: os.path.dirname(output[0]),
            sample=lambda wildcards: DATASETS[wildcards.dataset]["dataset"]["sample"],
            code=code_fingerprint("dataset.sample.draw_sample"),
        shell:
            "python -P -m workflow_scripts.dataset.sample.draw_sample --folder {params.folder:q} --seed {params.sample[seed]:q}"
            " --train-per-class {params.sample[train_per_class]:q} --val-per-class {params.sample[val_per_class]:q}"
            " --processes {threads} > {log:q} 2>&1"


if DOWNLOADS:

    rule download_dataset:
        """Let torchvision download the dataset, unless it is there."""
        output:
            temp(f"{DATASET}/downloaded.json"),  # so that whatever reads the dataset asks first whether it is there
        log:
            f"{DATASET}/logs/download_dataset.log",
        benchmark:
            f"{DATASET}/benchmarks/download_dataset.tsv"
        wildcard_constraints:
            dataset=any_of(DOWNLOADS),
        localrule: True  # where there is internet
        conda:
            DATASET_ENVIRONMENT
        resources:
            mem_mb=5000,  # Python with torch, and the largest dataset that is read whole
            runtime=600,  # Places365 has 100 GB
        params:
            dataset=dataset_settings,
            path=dataset_path,
            code=code_fingerprint("dataset.download_dataset"),
        shell:
            "python -P -m workflow_scripts.dataset.download_dataset --dataset {params.dataset:q} --path {params.path:q}"
            " --record {output:q} > {log:q} 2>&1"


rule survey_dataset:
    """Check the whole dataset, and list its classes and hierarchy."""
    input:
        dataset_inputs,
    output:
        classes=f"{STORE}/classes.csv",
        hierarchy=f"{STORE}/hierarchy.csv",
        split=f"{STORE}/split.csv",
        record=f"{STORE}/survey.json",
        note=update(f"{STORE}/dataset.json"),
    log:
        f"{STORE}/logs/survey_dataset.log",
    benchmark:
        f"{STORE}/benchmarks/survey_dataset.tsv"
    conda:
        DATASET_ENVIRONMENT
    resources:
        mem_mb=lambda wildcards: resources.survey_memory(DATASETS[wildcards.dataset]),
        runtime=30,  # listing a tree of 1.3 million files; an archive takes seconds
    params:
        dataset=dataset_settings,
        path=dataset_path,
        edition=lambda wildcards: dataset_now(wildcards.dataset).edition,
        image_size=config["store"]["image_size"],
        train_shards=config["store"]["train_shards"],
        folder=lambda wildcards, output: os.path.dirname(output.record),
        code=code_fingerprint("dataset.survey_dataset"),
    shell:
        "python -P -m workflow_scripts.dataset.survey_dataset --dataset {params.dataset:q} --path {params.path:q}"
        " --edition {params.edition:q} --image-size {params.image_size:q} --train-shards {params.train_shards:q} --folder {params.folder:q}"
        " > {log:q} 2>&1"
