# All networks' records become one table, or a table from elsewhere takes their place; then effects, tables and findings.
#   needs  the records of all training jobs, or results_table; pairs; the published numbers of `reference`
#   makes  results/<study>/results.csv, learning_curves.csv, and in tables/ distances, boost, drops, effects,
#          norm_statistics, rates, target_images, comparison, findings
UNITS = {"units": f"{RESULTS}/tables/units.csv"} if TRAINED else {}
RESULTS_CSV = report(
    f"{RESULTS}/results.csv",
    caption="../report/results.rst",
    category="Results",
    labels={"table": "All networks"},
)


rule results:
    """Target: the results table, and what it cost."""
    input:
        f"{RESULTS}/results.csv",
        [f"{RESULTS}/learning_curves.csv"] if TRAINED else [],
        [f"{RESULTS}/cost.csv"] if TRAINED and BASES else [],  # probes alone have no training
        [f"{RESULTS}/tables/probes.csv"] if PROBES else [],


if TRAINED:

    rule aggregate:
        """Gather all networks' records into one table."""
        input:
            rules.bases.input,
            curve_records,
        output:
            RESULTS_CSV,
            report(
                f"{RESULTS}/learning_curves.csv",
                caption="../report/learning_curves.rst",
                category="Results",
                labels={"table": "Validation readings"},
            ),
            f"{RESULTS}/results.json",
            report(
                f"{RESULTS}/tables/distances.csv",
                caption="../report/distances.rst",
                category="Tables",
                labels={"table": "How far units move"},
            ),
            f"{RESULTS}/tables/distances.json",
        log:
            f"{RESULTS}/logs/aggregate.log",
        benchmark:
            f"{RESULTS}/benchmarks/aggregate.tsv"
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=500,  # Python with pandas and a few thousand rows
            runtime=5,  # a second
        params:
            study=lambda wildcards: as_json(leaves.matrix_leaves(study_now())),
            training=as_json(leaves.training_leaves(TRAINING)),
            folder=lambda wildcards, output: os.path.dirname(output[0]),
            code=code_fingerprint("results.aggregate"),
        shell:
            "python -P -m workflow_scripts.results.aggregate --study {params.study:q} --training {params.training:q}"
            " --folder {params.folder:q} > {log:q} 2>&1"

else:

    rule import_results:
        """Take a results table in place of training."""
        input:
            checked,
        output:
            results=RESULTS_CSV,
            summary=f"{RESULTS}/results.json",
        log:
            f"{RESULTS}/logs/import_results.log",
        benchmark:
            f"{RESULTS}/benchmarks/import_results.tsv"
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=500,  # Python with pandas
            runtime=5,  # a second
        params:
            inputs=uncompared(named_options([("table", config["results_table"])])),
            content=lambda wildcards: contents({"table": config["results_table"]}),
            outputs=output_options,
            code=code_fingerprint("results.import_results"),
        shell:
            "python -P -m workflow_scripts.results.import_results {params.inputs} {params.outputs} > {log:q} 2>&1"


rule gather_probes:
    """Gather all probes into one table."""
    input:
        probes=[f"{RESULTS}/{job.stem}.safetensors" for job in PROBES],
        records=[f"{RESULTS}/{job.stem}.json" for job in PROBES],
        units=f"{RESULTS}/tables/units.csv",
        units_record=ancient(DESCRIPTION),
    output:
        table=report(
            f"{RESULTS}/tables/probes.csv",
            caption="../report/probes.rst",
            category="Tables",
            labels={"table": "Probes"},
        ),
        record=f"{RESULTS}/tables/probes.json",
    log:
        f"{RESULTS}/logs/gather_probes.log",
    benchmark:
        f"{RESULTS}/benchmarks/gather_probes.tsv"
    localrule: True
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas and scipy
        runtime=5,  # seconds
    params:
        study=lambda wildcards: as_json(leaves.matrix_leaves(study_now())),
        code=code_fingerprint("results.gather_probes"),
    shell:
        "python -P -m workflow_scripts.results.gather_probes --study {params.study:q} --probes {input.probes:q} --units {input.units:q}"
        " --output {output.table:q} --record {output.record:q} > {log:q} 2>&1"


rule gather_interpolation:
    """Gather the accuracies on lines between networks of two seeds into one table."""
    input:
        lines=[f"{RESULTS}/{line.stem}.csv" for line in seed_lines(config)],
        records=[f"{RESULTS}/{line.stem}.json" for line in seed_lines(config)],
    output:
        table=report(
            f"{RESULTS}/tables/interpolation.csv",
            caption="../report/interpolation.rst",
            category="Tables",
            labels={"table": "Between networks of two seeds"},
        ),
        record=f"{RESULTS}/tables/interpolation.json",
    log:
        f"{RESULTS}/logs/gather_interpolation.log",
    benchmark:
        f"{RESULTS}/benchmarks/gather_interpolation.tsv"
    localrule: True
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # seconds
    params:
        study=lambda wildcards: as_json(leaves.matrix_leaves(study_now())),
        code=code_fingerprint("results.gather_interpolation"),
    shell:
        "python -P -m workflow_scripts.results.gather_interpolation --study {params.study:q} --lines {input.lines:q}"
        " --output {output.table:q} --record {output.record:q} > {log:q} 2>&1"


rule make_tables:
    """Compute effects with their intervals, drops and the paper's table 1."""
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
                *([("norm_statistics", "Norm statistics of frozen units")] if "norm_statistics" in FIGURES else []),
                *([("rates", "Learning rates that were tried")] if "rates" in FIGURES else []),
                *([("target_images", "How much target data")] if "target_images" in FIGURES else []),
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
        outputs=output_options,
        code=code_fingerprint("results.make_tables"),
    shell:
        "python -P -m workflow_scripts.results.make_tables {params.options} {params.outputs} > {log:q} 2>&1"


COMPARISON = report(
    f"{RESULTS}/tables/comparison.csv",
    caption="../report/comparison.rst",
    category="Tables",
    labels={"table": "Beside the published numbers"},
)


rule write_findings:
    """Say what was found, and compare it with the published numbers."""
    input:
        ancient(f"{RESULTS}/results.json"),
        ancient(f"{RESULTS}/tables/tables.json"),
        records_of(UNITS),
        **UNITS,
        **({"norm_statistics": f"{RESULTS}/tables/norm_statistics.csv"} if "norm_statistics" in FIGURES else {}),
        **{name: f"{RESULTS}/tables/{name}.csv" for name in ("probes", "interpolation") if name in FIGURES},
        **({"pairs": [INPUTS.partition(name, half) for name in PAIRS for half in "AB"]} if PAIRS and TRAINED else {}),
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
        reference=uncompared(named_options(REFERENCE.items())),
        content=lambda wildcards: contents(REFERENCE),
        outputs=output_options,
        code=code_fingerprint("results.write_findings"),
    shell:
        "python -P -m workflow_scripts.results.write_findings {params.options} {params.reference} {params.outputs} > {log:q} 2>&1"
