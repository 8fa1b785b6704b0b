# Figures, tables, findings and the report page, from results.csv and what lies beside it.
rule figures:
    input:
        [f"{RESULTS}/figures/{figure}.{kind}" for figure in FIGURES for kind in ("png", "svg", "pdf")],
        [f"{RESULTS}/tables/{table}.csv" for table in TABLES],


for figure, (step, files) in FIGURES.items():

    rule:
        name:
            f"plot_{figure}"
        input:
            records_of(files),
            **files,
        output:
            [
                report(
                    f"{RESULTS}/figures/{figure}.{kind}",
                    caption=f"../report/{figure}.rst",
                    category="Figures",
                    labels={"figure": figure, "format": kind.upper()},
                )
                for kind in ("png", "svg", "pdf")
            ],
            f"{RESULTS}/figures/{figure}.json",
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        localrule: True
        conda:
            "../envs/plot.yaml"
        resources:
            mem_mb=500,  # Python with pandas and matplotlib
            runtime=5,  # seconds
        params:
            step=step,
            options=input_options,
            dpi=config["figures"]["dpi"],
            code=code_fingerprint(step),
        shell:
            "python -m workflow_scripts.{params.step} {params.options} --dpi {params.dpi:q}"
            " --output {output:q} > {log:q} 2>&1"


rule compare_bases:
    input:
        unpack(half_files),
        manifest=f"{STORE}/manifest.json",
        shards=[ancient(file) for file in shard_files("u8", "csv", "crc")],
    output:
        table=f"{RESULTS}/similarity/{{partition}}-seed{{seed}}.csv",
        record=f"{RESULTS}/similarity/{{partition}}-seed{{seed}}.json",
    log:
        f"{RESULTS}/logs/compare_bases/{{partition}}-seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/compare_bases/{{partition}}-seed{{seed}}.tsv"
    conda:
        TORCH_ENVIRONMENT
    threads: config["training"]["threads"]
    resources:
        mem_mb=similarity_memory(),
        runtime=30,  # seconds for small networks; CaffeNet on 500 images not measured
    params:
        settings=similarity_settings(),
        images=config["figures"]["similarity_images"],
        threads=config["training"]["threads"],  # decides the order of sums
        code=code_fingerprint("compare_bases"),
    shell:
        "python -m workflow_scripts.compare_bases --manifest {input.manifest:q} --task-a {input.task_a:q}"
        " --task-b {input.task_b:q} --weights-a {input.weights_a:q} --weights-b {input.weights_b:q}"
        " --partition {wildcards.partition} --seed {wildcards.seed} --settings {params.settings:q}"
        " --images {params.images:q} --threads {threads} --output {output.table:q} --record {output.record:q} > {log:q} 2>&1"


rule score_filters:
    input:
        weights=base_weights(),
        records=[f"{RESULTS}/{job.stem}.json" for job in BASES],
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
        runtime=2 + len(BASES),  # a fit of an 11 x 11 filter takes 0.2 s
    params:
        outputs=output_options,
        code=code_fingerprint("score_filters"),
    shell:
        "python -m workflow_scripts.score_filters --weights {input.weights:q} {params.outputs} > {log:q} 2>&1"


rule make_tables:
    input:
        ancient(f"{RESULTS}/results.json"),
        results=f"{RESULTS}/results.csv",
    output:
        **{
            table: report(
                f"{RESULTS}/tables/{table}.csv",
                caption=f"../report/{table}.rst",
                category="Tables",
                labels={"table": label},
            )
            for table, label in (
                ("boost", "Boost of fine-tuned transfer"),
                ("drops", "Drops by depth"),
                ("effects", "The two troubles, with intervals"),
            )
        },
        record=f"{RESULTS}/tables/tables.json",
    log:
        f"{RESULTS}/logs/make_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_tables.tsv"
    localrule: True
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # seconds
    params:
        options=input_options,
        code=code_fingerprint("make_tables"),
    shell:
        "python -m workflow_scripts.make_tables {params.options} --boost {output.boost:q} --drops {output.drops:q}"
        " --effects {output.effects:q} --record {output.record:q} > {log:q} 2>&1"


COMPARISON = report(
    f"{RESULTS}/tables/comparison.csv",
    caption="../report/comparison.rst",
    category="Tables",
    labels={"table": "Beside the published numbers"},
)


rule write_findings:
    input:
        ancient(f"{RESULTS}/results.json"),
        ancient(f"{RESULTS}/tables/tables.json"),
        **{"reference" if key == "results" else key: path for key, path in REFERENCE.items()},
        results=f"{RESULTS}/results.csv",
        effects=f"{RESULTS}/tables/effects.csv",
    output:
        **({"comparison": COMPARISON} if REFERENCE else {}),
        findings=f"{RESULTS}/tables/findings.json",
    log:
        f"{RESULTS}/logs/write_findings.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_findings.tsv"
    localrule: True
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # seconds
    params:
        options=input_options,
        outputs=output_options,
        code=code_fingerprint("write_findings"),
    shell:
        "python -m workflow_scripts.write_findings {params.options} {params.outputs} > {log:q} 2>&1"


REPORTED = [f"{RESULTS}/tables/{table}.csv" for table in TABLES]
REPORTED += [f"{RESULTS}/figures/{figure}.svg" for figure in FIGURES]


rule write_report:
    input:
        records_of({"files": REPORTED}),
        **({"readings": f"{RESULTS}/learning_curves.csv"} if TRAINED else {}),
        template=workflow.source_path("../report/page.html.j2"),
        results=f"{RESULTS}/results.csv",
        summary=f"{RESULTS}/results.json",
        findings=f"{RESULTS}/tables/findings.json",
        tables=[f"{RESULTS}/tables/{table}.csv" for table in TABLES],
        table_captions=[workflow.source_path(f"../report/{table}.rst") for table in TABLES],
        figures=[f"{RESULTS}/figures/{figure}.svg" for figure in FIGURES],
        captions=[workflow.source_path(f"../report/{figure}.rst") for figure in FIGURES],
    output:
        page=report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="Results",
            labels={"table": "Report page"},
        ),
        record=f"{RESULTS}/report.json",
    log:
        f"{RESULTS}/logs/write_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_report.tsv"
    localrule: True
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # seconds
    params:
        options=input_options,
        config=json.dumps(config, sort_keys=True),
        code=code_fingerprint("write_report"),
    shell:
        "python -m workflow_scripts.write_report {params.options} --config {params.config:q} --output {output.page:q}"
        " > {log:q} 2>&1"
