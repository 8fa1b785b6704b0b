# How transferable are features in deep neural networks? From raw archives to figures and report.
#   snakemake --cores all                                   the default study (config.yaml)
#   snakemake --cores all --configfile configs/paper.yaml   another one
#   snakemake --cores all --configfile configs/published.yaml   the paper's own networks, in seconds
#   snakemake -n                                            the plan


include: "rules/common.smk"  # reads and checks config.yaml
include: "rules/dataset.smk"
include: "rules/store.smk"
include: "rules/partition.smk"
include: "rules/training.smk"
include: "rules/features.smk"
include: "rules/results.smk"
include: "rules/cost.smk"
include: "rules/report.smk"
include: "rules/plumbing.smk"


localrules:
    all,
    packed,
    tasks,
    bases,
    curves,
    results,
    figures,


rule all:
    """Target: everything, above all the report."""
    default_target: True
    input:
        f"{RESULTS}/report.html",
        rules.figures.input,
        rules.results.input,
        # Bases and curves too, so that a deleted record is made again.
        [rules.packed.input, rules.bases.input, rules.curves.input] if TRAINED else [],


onerror:
    if "verify" not in sys.argv:
        print(
            "A job failed: the line above that starts with `error:` says why; one that was Killed had too little memory,"
            " so use fewer --cores. What is finished is kept: fix the cause and run snakemake again.",
            file=sys.stderr,
        )
