# What networks have learned: similarity across halves, first-layer filters, features of sources and probes on them.
#   needs  base networks, tasks and the packed store, and for probes the weights of their source
#   makes  results/<study>/similarity/*.csv, interpolation/, tables/filters.csv and shares.csv, and features/ and probes/ with a record each
rule compare_bases:
    """Compare the base networks of a partition's halves unit by unit."""
    input:
        unpack(INPUTS.of_comparison),
    output:
        table=f"{RESULTS}/similarity/{{partition}}-seed{{seed}}.csv",
        record=f"{RESULTS}/similarity/{{partition}}-seed{{seed}}.json",
    log:
        f"{RESULTS}/logs/compare_bases/{{partition}}-seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/compare_bases/{{partition}}-seed{{seed}}.tsv"
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        mem_mb=resources.similarity_memory(config),
        runtime=30,  # seconds for small networks; CaffeNet on 500 images not measured
    params:
        settings=as_json(leaves.view_leaves(TRAINING)),
        images=config["figures"]["similarity_images"],
        threads=RUNNING["threads"],  # decides the order of sums
        code=code_fingerprint("features.compare_bases"),
    shell:
        "python -P -m workflow_scripts.features.compare_bases --manifest-a {input.a_manifest:q} --manifest-b {input.b_manifest:q} --task-a {input.a_task:q}"
        " --task-b {input.b_task:q} --weights-a {input.a_weights:q} --weights-b {input.b_weights:q}"
        " --partition {wildcards.partition} --seed {wildcards.seed} --settings {params.settings:q}"
        " --images {params.images:q} --threads {threads} --output {output.table:q} --record {output.record:q} > {log:q} 2>&1"


rule interpolate:
    """Measure networks on the straight lines between those of two seeds."""
    input:
        unpack(lambda wildcards: INPUTS.of_line(line_of(study_now(), wildcards), study_now())),
    output:
        output=f"{RESULTS}/{LINE_STEM}.csv",
        record=f"{RESULTS}/{LINE_STEM}.json",
    log:
        f"{RESULTS}/logs/{LINE_STEM}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{LINE_STEM}.tsv"
    wildcard_constraints:
        other_seed=r"\d+",
        line="[^/]+",
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        gpu=min(1, training_gpus(config)),
        jobs_per_gpu=RUNNING["jobs_per_gpu"],
        mem_mb=lambda wildcards, attempt: resources.line_memory(config, attempt),
        runtime=lambda wildcards, attempt: resources.line_minutes(
            INPUTS.line_dataset(line_of(study_now(), wildcards)),
            len(line_of(study_now(), wildcards).first.depths),
            attempt,
        ),
    params:
        outputs=output_options,
        inputs=lambda wildcards, input: named_options(
            (name, input[name]) for name in ("source_task", "weights", "other_weights") if name in input.keys()
        ),
        line=lambda wildcards: commands.line_options(line_of(study_now(), wildcards)),
        settings=lambda wildcards: as_json(leaves.job_leaves(TRAINING, line_of(study_now(), wildcards).first)),
        steps=config["figures"]["interpolation_steps"],
        threads=RUNNING["threads"],  # decides the order of sums
        code=code_fingerprint("features.interpolate"),
    shell:
        "python -P -m workflow_scripts.features.interpolate --manifest {input.manifest:q} --task {input.task:q} {params.inputs}"
        " {params.line} --steps {params.steps:q} --settings {params.settings:q} --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} {params.outputs} > {log:q} 2>&1"


FILTERED = filtered_jobs(BASES)  # networks of drawn images would crowd out the others


rule score_filters:
    """Count the first-layer filters that look like Gabors or colour blobs."""
    input:
        weights=[ancient(f"{RESULTS}/{job.stem}.safetensors") for job in FILTERED],
        records=[f"{RESULTS}/{job.stem}.json" for job in FILTERED],
    output:
        filters=f"{RESULTS}/tables/filters.csv",
        shares=report(
            f"{RESULTS}/tables/shares.csv",
            caption="../report/shares.rst",
            category="Tables",
            labels={"table": "First-layer filters"},
        ),
        record=f"{RESULTS}/tables/filters.json",
    log:
        f"{RESULTS}/logs/score_filters.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_filters.tsv"
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with scipy
        runtime=2 + len(FILTERED),  # a fit of an 11 x 11 filter takes 0.2 s
    params:
        outputs=output_options,
        code=code_fingerprint("features.score_filters"),
    shell:
        "python -P -m workflow_scripts.features.score_filters --weights {input.weights:q} {params.outputs} > {log:q} 2>&1"


rule extract_features:
    """Compute the features of all units of a source for all images of a task."""
    input:
        unpack(INPUTS.of_features),
    output:
        features=f"{RESULTS}/{FEATURES_STEM}.npy",
        record=f"{RESULTS}/{FEATURES_STEM}.json",
    log:
        f"{RESULTS}/logs/extract_features/{{partition}}/{{of_seed}}{{source}}-{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/extract_features/{{partition}}/{{of_seed}}{{source}}-{{target}}.tsv"
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        gpu=min(1, training_gpus(config)),
        jobs_per_gpu=RUNNING["jobs_per_gpu"],
        mem_mb=lambda wildcards, attempt: resources.features_memory(config, attempt),
        runtime=lambda wildcards, attempt: resources.features_minutes(INPUTS.half_dataset(wildcards), attempt),
    params:
        outputs=output_options,
        settings=lambda wildcards: as_json(leaves.feature_leaves(TRAINING, job_of(wildcards))),
        source=source_options,
        seed=lambda wildcards: job_of(wildcards).seed,
        threads=RUNNING["threads"],  # decides the order of sums
        code=code_fingerprint("features.extract_features"),
    shell:
        "python -P -m workflow_scripts.features.extract_features --manifest {input.manifest:q} --task {input.task:q} {params.source}"
        " --partition {wildcards.partition} --source {wildcards.source} --target {wildcards.target} --seed {params.seed:q}"
        " --settings {params.settings:q} --threads {threads} --jobs-per-gpu {resources.jobs_per_gpu} {params.outputs} > {log:q} 2>&1"


rule train_probes:
    """Train linear classifiers on the features of each depth of a source."""
    input:
        unpack(INPUTS.of_probes),
    output:
        output=f"{RESULTS}/{PROBE_STEM}.safetensors",
        record=f"{RESULTS}/{PROBE_STEM}.json",
    log:
        f"{RESULTS}/logs/train_probes/{{partition}}/seed{{seed}}/{{source}}-{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_probes/{{partition}}/seed{{seed}}/{{source}}-{{target}}.tsv"
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        gpu=min(1, training_gpus(config)),
        jobs_per_gpu=RUNNING["jobs_per_gpu"],
        mem_mb=lambda wildcards, input, attempt: resources.probes_memory(input.size_mb, attempt),
        runtime=lambda wildcards, input, attempt: resources.probes_minutes(
            INPUTS.half_dataset(wildcards), input.size_mb, attempt
        ),
    params:
        outputs=output_options,
        depths=lambda wildcards: probe_depths(wildcards),
        device=TRAINING["device"],
        threads=RUNNING["threads"],  # decides the order of sums
        code=code_fingerprint("features.train_probes"),
    shell:
        "python -P -m workflow_scripts.features.train_probes --features {input.features:q} --features-task {input.features_task:q}"
        " --task {input.task:q} --partition {wildcards.partition} --source {wildcards.source} --target {wildcards.target}"
        " --seed {wildcards.seed} --depths {params.depths} --device {params.device:q} --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} {params.outputs} > {log:q} 2>&1"
