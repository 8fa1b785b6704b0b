# Comparing every file with its record, even if no step reads it again: `snakemake verify`.
#   needs  a study, finished or not
#   makes  nothing; prints each fault
VERIFIED = [placed(RESULTS)]
if TRAINED:
    VERIFIED += [placed(store) for store in STORES.values()]
    VERIFIED += [placed(f"data/{name}/archives") for name in SAMPLES]


rule verify:
    """Compare every file of the study and its store with its record."""
    log:
        f"{RESULTS}/logs/verify.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        folders=lambda wildcards: VERIFIED,
    shell:
        "python -P -m workflow_scripts.plumbing.verify_study --folders {params.folders:q} | tee {log:q}"
