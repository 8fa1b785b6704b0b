# All networks' records become one table.
rule results:
    input:
        f"{RESULTS}/results.csv",
        f"{RESULTS}/learning_curves.csv",


rule aggregate:
    input:
        rules.bases.input,
        rules.curves.input,
    output:
        report(
            f"{RESULTS}/results.csv",
            caption="../report/results.rst",
            category="Results",
            labels={"table": "All networks"},
        ),
        f"{RESULTS}/learning_curves.csv",
        f"{RESULTS}/results.json",
    log:
        f"{RESULTS}/logs/aggregate.log",
    benchmark:
        f"{RESULTS}/benchmarks/aggregate.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,  # Python with pandas and a few thousand rows
        runtime=5,  # a second
    params:
        study=study_matrix(),
        folder=lambda wildcards, output: os.path.dirname(output[0]),
        code=code_fingerprint("aggregate"),
    shell:
        "python -m workflow_scripts.aggregate --study {params.study:q} --folder {params.folder:q} > {log:q} 2>&1"
