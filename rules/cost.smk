# What a study costs: estimated before it runs (`make plan`), compared with what it took afterwards.
#   needs  nothing for the plan; for the comparison the records of all training jobs
#   makes  results/<study>/calibration.json and cost.csv; the plan is printed
rule calibrate:
    """Measure how fast this machine trains the study's network."""
    output:
        f"{RESULTS}/calibration.json",
    log:
        f"{RESULTS}/logs/calibrate.log",
    benchmark:
        f"{RESULTS}/benchmarks/calibrate.tsv"
    conda:
        TORCH_ENVIRONMENT
    threads: RUNNING["threads"]
    resources:
        gpu=min(1, training_gpus(config)),
        jobs_per_gpu=RUNNING["jobs_per_gpu"],
        mem_mb=resources.training_memory(config, 1),
        runtime=5,  # ten seconds, and the start of torch
    params:
        settings=as_json(leaves.speed_leaves(TRAINING)),
        threads=RUNNING["threads"],
        cuda_graphs=int(RUNNING["cuda_graphs"]),
        code=code_fingerprint("cost.speed"),
    shell:
        "python -P -m workflow_scripts.cost.calibrate --settings {params.settings:q} --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} --cuda-graphs {params.cuda_graphs} --output {output:q} > {log:q} 2>&1"


rule plan:
    """Print the price of the study."""
    input:
        calibration(),
        lambda wildcards: [DESCRIPTION] if UNDESCRIBED and study_now() else [],
    log:
        f"{RESULTS}/logs/plan.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=lambda wildcards: as_json(resources.cost_settings(study_now())),
        calibration=lambda wildcards, input: named_options([("calibration", calibration())] if calibration() else []),
        # Both may be missing. What exists counts as done.
        surveys=lambda wildcards: [placed(survey) for survey in SURVEYS],
        folder=lambda wildcards: placed(RESULTS),
    shell:
        "python -P -m workflow_scripts.cost.plan --settings {params.settings:q} {params.calibration}"
        " --surveys {params.surveys:q} --folder {params.folder:q} 2> {log:q}"


rule compare_costs:
    """Compare each job's estimate with what it took."""
    input:
        *rules.bases.input,
        curve_records,
        calibration=calibration(),
        surveys=SURVEYS,
        results=f"{RESULTS}/results.json",  # made from the records of these jobs
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
        settings=lambda wildcards: as_json(resources.cost_settings(study_now())),
        calibration=lambda wildcards, input: named_options(
            [("calibration", list(input.calibration))] if input.calibration else []
        ),
        folder=lambda wildcards, output: os.path.dirname(output.table),
        code=code_fingerprint("cost.compare_costs"),
    shell:
        "python -P -m workflow_scripts.cost.compare_costs --settings {params.settings:q} {params.calibration}"
        " --surveys {input.surveys:q} --results {input.results:q} --folder {params.folder:q} --output {output.table:q} > {log:q} 2>&1"
