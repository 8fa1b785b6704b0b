# All networks' records become one table, or a table from elsewhere takes their place.
RESULTS_CSV = report(
    f"{RESULTS}/results.csv",
    caption="../report/results.rst",
    category="Results",
    labels={"table": "All networks"},
)


rule results:
    input:
        f"{RESULTS}/results.csv",
        [f"{RESULTS}/learning_curves.csv", f"{RESULTS}/cost.csv"] if TRAINED else [],


if TRAINED:

    rule aggregate:
        input:
            rules.bases.input,
            rules.curves.input,
        output:
            RESULTS_CSV,
            f"{RESULTS}/learning_curves.csv",
            f"{RESULTS}/results.json",
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
            study=study_matrix(),
            training=all_settings(),
            folder=lambda wildcards, output: os.path.dirname(output[0]),
            code=code_fingerprint("aggregate"),
        shell:
            "python -m workflow_scripts.aggregate --study {params.study:q} --training {params.training:q}"
            " --folder {params.folder:q} > {log:q} 2>&1"

else:

    rule import_results:
        input:
            table=config["results_table"],
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
            inputs=input_options,
            outputs=output_options,
            code=code_fingerprint("import_results"),
        shell:
            "python -m workflow_scripts.import_results {params.inputs} {params.outputs} > {log:q} 2>&1"
