# The network: its units, and pretrained weights that are fetched, checked and kept as safetensors.
#   needs  nothing, a file of weights, or internet for weights of a library
#   makes  results/<study>/tables/units.csv, networks/pretrained.safetensors
checkpoint describe_network:
    """Describe the units of the network, and refuse depths and crops that it does not have."""
    output:
        table=report(
            f"{RESULTS}/tables/units.csv",
            caption="../report/units.rst",
            category="Tables",
            labels={"table": "Units of the network"},
        ),
        record=DESCRIPTION,
    log:
        f"{RESULTS}/logs/describe_network.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_network.tsv"
    conda:
        TORCH_ENVIRONMENT
    resources:
        mem_mb=2000,  # Python with torch and timm
        runtime=5,  # seconds, a minute for networks of a thousand modules
    params:
        settings=as_json(leaves.network_leaves(TRAINING)),
        deepest=DEEPEST,
        code=code_fingerprint("network.describe_network"),
    shell:
        "python -P -m workflow_scripts.network.describe_network --settings {params.settings:q} --deepest {params.deepest}"
        " --output {output.table:q} --record {output.record:q} > {log:q} 2>&1"


# Snakemake looks at the whole plan again after a checkpoint. Only depths that are `all` of an unknown network need that.
rules.describe_network.rule.is_checkpoint = UNDESCRIBED


if TRAINING["pretrained"] is not None:

    rule get_weights:
        """Get pretrained weights once, and check them against the network."""
        output:
            weights=f"{PRETRAINED_STEM}.safetensors",
            record=f"{PRETRAINED_STEM}.json",
        log:
            f"{RESULTS}/logs/get_weights.log",
        benchmark:
            f"{RESULTS}/benchmarks/get_weights.tsv"
        localrule: True  # where there is internet
        conda:
            TORCH_ENVIRONMENT
        resources:
            mem_mb=4000,  # Python with torch, and twice the weights of the largest networks
            runtime=60,  # a download of a gigabyte
        params:
            settings=as_json(leaves.network_leaves(TRAINING)),
            input=as_json(leaves.input_leaves(config)),
            given=uncompared(commands.weights_option(TRAINING)),
            content=lambda wildcards: commands.weights_identity(TRAINING),
            code=code_fingerprint("network.get_weights"),
        shell:
            "python -P -m workflow_scripts.network.get_weights --settings {params.settings:q} --input {params.input:q}"
            " {params.given} --output {output.weights:q} --record {output.record:q} > {log:q} 2>&1"
