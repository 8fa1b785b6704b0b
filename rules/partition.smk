# Partitions (class lists) and tasks (indices, labels and mean image over the packed store).
#   needs  classes.csv and hierarchy.csv, the packed store, list files of the configuration (their content, not their place)
#   makes  results/<study>/partitions/*.json and tasks/*.npz with their records
ruleorder: make_pair > make_partition


rule tasks:
    """Target: all tasks."""
    input:
        [f"{RESULTS}/tasks/{job.partition}-{job.target}.npz" for job in BASES],


rule make_partition:
    """Divide the classes into the halves of a partition."""
    input:
        unpack(INPUTS.of_partition),
    output:
        f"{RESULTS}/partitions/{{partition}}.json",
    log:
        f"{RESULTS}/logs/make_partition/{{partition}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_partition/{{partition}}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # a second
    params:
        settings=partition_settings,
        lists=partition_lists,
        code=code_fingerprint("partition.make_partition"),
    shell:
        "python -P -m workflow_scripts.partition.make_partition --name {wildcards.partition} --classes {input.classes:q}"
        " --hierarchy {input.hierarchy:q} --settings {params.settings:q} {params.lists} --output {output:q} > {log:q} 2>&1"


rule make_pair:
    """Take the halves of a pair from two datasets."""
    input:
        unpack(INPUTS.of_pair),
    output:
        f"{RESULTS}/partitions/{{partition}}.json",
    log:
        f"{RESULTS}/logs/make_pair/{{partition}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_pair/{{partition}}.tsv"
    wildcard_constraints:
        partition=any_of(PAIRS),
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # a second
    params:
        settings=partition_settings,
        tables=pair_options,
        lists=partition_lists,
        code=code_fingerprint("partition.make_pair"),
    shell:
        "python -P -m workflow_scripts.partition.make_pair --name {wildcards.partition} {params.tables}"
        " --settings {params.settings:q} {params.lists} --output {output:q} > {log:q} 2>&1"


rule make_task:
    """Choose the images of one half, and average them."""
    input:
        unpack(INPUTS.of_task),
        partition=f"{RESULTS}/partitions/{{partition}}.json",
    output:
        task=f"{RESULTS}/tasks/{{partition}}-{{half}}.npz",
        record=f"{RESULTS}/tasks/{{partition}}-{{half}}.json",
    log:
        f"{RESULTS}/logs/make_task/{{partition}}-{{half}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_task/{{partition}}-{{half}}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=1000,  # the index of ImageNet's images and a block of 256 images
        runtime=lambda wildcards: resources.task_minutes(half_dataset(wildcards)),
    params:
        settings=partition_settings,
        code=code_fingerprint("partition.make_task"),
    shell:
        "python -P -m workflow_scripts.partition.make_task --manifest {input.manifest:q} --partition {input.partition:q}"
        " --settings {params.settings:q} --half {wildcards.half} --output {output.task:q} > {log:q} 2>&1"
