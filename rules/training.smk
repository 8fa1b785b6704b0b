# Training: base networks, and the networks of each curve together (docs/design.md, rules 2 and 3).
#   needs  the packed store, tasks and, for curves, the base network of their source
#   makes  results/<study>/networks/ and curves/: a record a job, the weights of base networks (and of curves, if kept)
# Commands begin with exec, so that a signal reaches the training, which saves a checkpoint, and no shell.
rule bases:
    """Target: all base networks."""
    input:
        [f"{RESULTS}/{job.stem}.json" for job in BASES],


rule curves:
    """Target: all curves."""
    input:
        curve_records,


rule train_base:
    """Train the base network of one half."""
    input:
        unpack(INPUTS.of_training),
    output:
        record=f"{RESULTS}/{BASE_STEM}.json",
        weights=f"{RESULTS}/{BASE_STEM}.safetensors",
    log:
        f"{RESULTS}/logs/train_base/{{partition}}-seed{{seed}}-{BASE_NAME}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_base/{{partition}}-seed{{seed}}-{BASE_NAME}.tsv"
    priority: 1  # before curves, which wait for them
    retries: RUNNING["retries"]
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        gpu=training_gpus(config),
        jobs_per_gpu=RUNNING["jobs_per_gpu"],
        cuda_graphs=int(RUNNING["cuda_graphs"]),
        mem_mb=lambda wildcards, attempt: resources.training_memory(config, 1, attempt),
        runtime=lambda wildcards, attempt: resources.training_minutes(
            INPUTS.half_dataset(wildcards), job_of(wildcards).trainings, attempt
        ),
        tensorboard=lambda wildcards: tensorboard_folder(config, job_of(wildcards), placed(RESULTS)),
    params:
        outputs=output_options,
        settings=job_settings,
        variant=lambda wildcards: commands.variant_options(job_of(wildcards)),
        threads=deciding_threads(config),
        launcher=training_launcher(config),
        code=code_fingerprint("training.engine"),
    shell:
        "exec python {params.launcher} workflow_scripts.training.train --manifest {input.manifest:q} --task {input.task:q}"
        " --partition {wildcards.partition} --source {wildcards.target} --target {wildcards.target} --treatment {wildcards.base}"
        " --seed {wildcards.seed} --depths 0 {params.variant} --settings {params.settings:q} --threads {threads}"
        " --tensorboard {resources.tensorboard} --jobs-per-gpu {resources.jobs_per_gpu} --cuda-graphs {resources.cuda_graphs} {params.outputs} > {log:q} 2>&1"


rule train_curve:
    """Train the networks of a curve, or of part of its depths."""
    input:
        unpack(INPUTS.of_training),
    output:
        **({"weights": f"{RESULTS}/{CURVE_STEM}.safetensors"} if RUNNING["keep_curve_weights"] else {}),
        record=f"{RESULTS}/{CURVE_STEM}.json",
    log:
        f"{RESULTS}/logs/train_curve/{{partition}}-seed{{seed}}-{CURVE}-{{depths}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_curve/{{partition}}-seed{{seed}}-{CURVE}-{{depths}}.tsv"
    retries: RUNNING["retries"]
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        gpu=training_gpus(config),
        jobs_per_gpu=RUNNING["jobs_per_gpu"],
        cuda_graphs=int(RUNNING["cuda_graphs"]),
        mem_mb=lambda wildcards, attempt: resources.training_memory(config, len(job_of(wildcards).depths), attempt),
        runtime=lambda wildcards, attempt: resources.training_minutes(
            INPUTS.half_dataset(wildcards), job_of(wildcards).trainings, attempt
        ),
        tensorboard=lambda wildcards: tensorboard_folder(config, job_of(wildcards), placed(RESULTS)),
    params:
        outputs=output_options,
        settings=job_settings,
        depths=lambda wildcards: wildcards.depths.replace("-", " "),
        variant=lambda wildcards: commands.variant_options(job_of(wildcards)),
        source=source_options,
        threads=deciding_threads(config),
        launcher=training_launcher(config),
        code=code_fingerprint("training.engine"),
    shell:
        "exec python {params.launcher} workflow_scripts.training.train --manifest {input.manifest:q} --task {input.task:q} {params.source}"
        " --partition {wildcards.partition} --source {wildcards.source} --target {wildcards.target}"
        " --treatment {wildcards.treatment} --seed {wildcards.seed} --depths {params.depths}"
        " {params.variant} --settings {params.settings:q} --threads {threads}"
        " --tensorboard {resources.tensorboard} --jobs-per-gpu {resources.jobs_per_gpu} --cuda-graphs {resources.cuda_graphs} {params.outputs} > {log:q} 2>&1"
