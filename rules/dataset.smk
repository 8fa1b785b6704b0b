# The dataset's archives: drawn for kind `sample`; for the other kinds they are the user's, and no rule makes them.
if config["dataset"]["kind"] == "sample":

    rule draw_sample:
        output:
            dataset_files(),
            record=SAMPLE_RECORD,
        log:
            f"{DATASET}/logs/draw_sample.log",
        benchmark:
            f"{DATASET}/benchmarks/draw_sample.tsv"
        conda:
            "../envs/data.yaml"
        threads: 2
        resources:
            mem_mb=sample_memory,
            runtime=sample_minutes,
        params:
            folder=lambda wildcards, output: os.path.dirname(output[0]),
            sample=config["dataset"]["sample"],
            code=code_fingerprint("draw_sample"),
        shell:
            "python -m workflow_scripts.draw_sample --folder {params.folder:q} --seed {params.sample[seed]:q}"
            " --train-per-class {params.sample[train_per_class]:q} --val-per-class {params.sample[val_per_class]:q}"
            " --processes {threads} > {log:q} 2>&1"
