# How transferable are features in deep neural networks? From raw archives to figures and report.
#   snakemake --cores all                                   the default study (config.yaml)
#   snakemake --cores all --configfile configs/paper.yaml   another one
#   snakemake --cores all --configfile configs/published.yaml   the paper's own networks, in half a minute
#   snakemake -n                                            the plan


include: "rules/config.smk"  # reads and checks config.yaml
include: "rules/common.smk"
include: "rules/dataset.smk"
include: "rules/store.smk"
include: "rules/partition.smk"
include: "rules/network.smk"
include: "rules/training.smk"
include: "rules/features.smk"
include: "rules/results.smk"
include: "rules/cost.smk"
include: "rules/report.smk"
include: "rules/plumbing.smk"


govern_restarts(workflow.is_main_process)


rule all:
    """Target: everything, above all the report."""
    default_target: True
    input:
        f"{RESULTS}/report.html",
        rules.figures.input,
        rules.results.input,
        DESCRIPTION if TRAINED else [],
        # Bases and curves too, so that a deleted record is made again.
        [rules.packed.input, rules.bases.input, curve_records] if TRAINED else [],


onstart:
    with exit_in_one_line():
        check_gpus(workflow.dag.needrun_jobs(), workflow.local_exec, training_gpus(config))


onerror:
    for line in failure_lines(workflow.scheduler):
        print(line, file=sys.stderr)
