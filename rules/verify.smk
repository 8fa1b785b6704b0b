# Every file against the record that vouches for it, of what nobody reads again too: `snakemake verify`.
VERIFIED = [RESULTS] + ([STORE] if TRAINED else [])
if TRAINED and config["dataset"]["kind"] == "sample":
    VERIFIED.append(config["dataset"]["path"])


rule verify:
    log:
        f"{RESULTS}/logs/verify.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        folders=lambda wildcards: VERIFIED,
    shell:
        "python -m workflow_scripts.verify_study --folders {params.folders:q} | tee {log:q}"
