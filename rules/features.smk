# What base networks have learned: similarity across halves, first-layer filters.
#   needs  base networks, tasks and the packed store
#   makes  results/<study>/similarity/*.csv, and tables/filters.csv and shares.csv
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


FILTERED = undrawn_jobs(BASES)  # networks of drawn images would crowd out the others


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
