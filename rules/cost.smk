# What a study costs: estimated before it runs (`make plan`), compared with what it took afterwards.
rule calibrate:
    output:
        f"{RESULTS}/calibration.json",
    log:
        f"{RESULTS}/logs/calibrate.log",
    benchmark:
        f"{RESULTS}/benchmarks/calibrate.tsv"
    conda:
        TORCH_ENVIRONMENT
    threads: config["training"]["threads"]
    resources:
        gpu=min(1, training_gpus()),
        jobs_per_gpu=config["training"]["jobs_per_gpu"],
        mem_mb=training_memory(1),
        runtime=5,  # ten seconds, and the start of torch
    params:
        settings=speed_settings(),
        threads=config["training"]["threads"],
        code=code_fingerprint("calibrate"),
    shell:
        "python -m workflow_scripts.calibrate --settings {params.settings:q} --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} --output {output:q} > {log:q} 2>&1"


rule plan:
    input:
        calibration(),
    log:
        f"{RESULTS}/logs/plan.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=cost_settings(),
        calibration=calibration_option,
        # Neither need be there: what is, is counted as done.
        survey=lambda wildcards: f"{STORE}/survey.json",
        folder=lambda wildcards: RESULTS,
    shell:
        "python -m workflow_scripts.plan --settings {params.settings:q} {params.calibration}"
        " --survey {params.survey:q} --folder {params.folder:q} 2> {log:q}"


rule compare_costs:
    input:
        *rules.bases.input,
        *rules.curves.input,
        calibration=calibration(),
        survey=f"{STORE}/survey.json",
        results=f"{RESULTS}/results.json",  # whose networks these jobs' are
    output:
        record=f"{RESULTS}/cost.json",
        table=report(
            f"{RESULTS}/cost.csv",
            caption="../report/cost.rst",
            category="Results",
            labels={"table": "Estimated and actual cost"},
        ),
    log:
        f"{RESULTS}/logs/compare_costs.log",
    benchmark:
        f"{RESULTS}/benchmarks/compare_costs.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # seconds
    params:
        settings=cost_settings(),
        calibration=calibration_option,
        folder=lambda wildcards, output: os.path.dirname(output.table),
        code=code_fingerprint("compare_costs"),
    shell:
        "python -m workflow_scripts.compare_costs --settings {params.settings:q} {params.calibration}"
        " --survey {input.survey:q} --results {input.results:q} --folder {params.folder:q} --output {output.table:q} > {log:q} 2>&1"
