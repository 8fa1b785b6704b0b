# Training: base networks, and the networks of each curve together (DESIGN, rules 2 and 3).
rule bases:
    input:
        [f"{RESULTS}/{job.stem}.json" for job in BASES],


rule curves:
    input:
        [f"{RESULTS}/{job.stem}.json" for job in CURVES],


rule train_base:
    input:
        unpack(lambda wildcards: store_files() | task_files(wildcards.partition, wildcards.half)),
    output:
        record=f"{RESULTS}/networks/{{partition}}/seed{{seed}}/base-{{half}}.json",
        weights=f"{RESULTS}/networks/{{partition}}/seed{{seed}}/base-{{half}}.safetensors",
    log:
        f"{RESULTS}/logs/train_base/{{partition}}-seed{{seed}}-{{half}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_base/{{partition}}-seed{{seed}}-{{half}}.tsv"
    priority: 1  # first, since whole curves wait for them
    retries: config["training"]["retries"]
    conda:
        TORCH_ENVIRONMENT
    threads: config["training"]["threads"]
    resources:
        gpu=training_gpus,
        jobs_per_gpu=config["training"]["jobs_per_gpu"],
        mem_mb=lambda wildcards, attempt: attempt * training_memory(1),
        runtime=lambda wildcards, attempt: attempt * training_minutes(1),
        tensorboard=lambda wildcards: tensorboard_folder(
            f"{wildcards.partition}-seed{wildcards.seed}/base-{wildcards.half}"
        ),
    params:
        settings=base_settings(),
        threads=cpu_threads(),
        launcher=training_launcher(),
        code=code_fingerprint("train"),
    shell:
        "python {params.launcher} workflow_scripts.train --manifest {input.manifest:q} --task {input.task:q}"
        " --partition {wildcards.partition} --source {wildcards.half} --target {wildcards.half} --treatment base"
        " --seed {wildcards.seed} --depths 0 --settings {params.settings:q} --threads {threads}"
        " --tensorboard {resources.tensorboard} --jobs-per-gpu {resources.jobs_per_gpu} --output {output:q} > {log:q} 2>&1"


rule train_curve:
    input:
        unpack(curve_inputs),
    output:
        **curve_outputs(),
    log:
        f"{RESULTS}/logs/train_curve/{{partition}}-seed{{seed}}-{{source}}-{{target}}-{{treatment}}{{variant}}-{{depths}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_curve/{{partition}}-seed{{seed}}-{{source}}-{{target}}-{{treatment}}{{variant}}-{{depths}}.tsv"
    retries: config["training"]["retries"]
    conda:
        TORCH_ENVIRONMENT
    threads: config["training"]["threads"]
    resources:
        gpu=training_gpus,
        jobs_per_gpu=config["training"]["jobs_per_gpu"],
        mem_mb=lambda wildcards, attempt: attempt * training_memory(len(wildcards.depths.split("-"))),
        runtime=lambda wildcards, attempt: attempt * training_minutes(len(wildcards.depths.split("-"))),
        tensorboard=lambda wildcards: tensorboard_folder(
            f"{wildcards.partition}-seed{wildcards.seed}/"
            f"{wildcards.source}-{wildcards.target}-{wildcards.treatment}{wildcards.variant}"
        ),
    params:
        settings=curve_settings,
        depths=lambda wildcards: wildcards.depths.replace("-", " "),
        preserve=lambda wildcards: matrix.parse_variant(wildcards.variant)[0],
        source=source_options,
        threads=cpu_threads(),
        launcher=training_launcher(),
        code=code_fingerprint("train"),
    shell:
        "python {params.launcher} workflow_scripts.train --manifest {input.manifest:q} --task {input.task:q} {params.source}"
        " --partition {wildcards.partition} --source {wildcards.source} --target {wildcards.target}"
        " --treatment {wildcards.treatment} --seed {wildcards.seed} --depths {params.depths}"
        " --preserve {params.preserve} --settings {params.settings:q} --threads {threads}"
        " --tensorboard {resources.tensorboard} --jobs-per-gpu {resources.jobs_per_gpu} --output {output:q} > {log:q} 2>&1"
