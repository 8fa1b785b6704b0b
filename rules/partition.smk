# Partitions (class lists) and tasks (indices, labels and mean image over the packed store).
#   needs  classes.csv and hierarchy.csv, the packed store, list files of the configuration (their content, not their place)
#   makes  results/<study>/partitions/*.json (one for each half of a pair), tasks/*.npz with their records, tables/tasks.csv
TASKS = {job.task: job for job in [*BASES, *PROBES, *(probe.of_features for probe in PROBES)]}


rule tasks:
    """Target: all tasks."""
    input:
        [f"{RESULTS}/{task}.npz" for task in TASKS],
        f"{RESULTS}/tables/tasks.csv",


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


rule make_half:
    """List the classes of one half of a pair."""
    input:
        unpack(INPUTS.of_half),
    output:
        f"{RESULTS}/partitions/{{partition}}-{{half}}.json",
    log:
        f"{RESULTS}/logs/make_half/{{partition}}-{{half}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_half/{{partition}}-{{half}}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # a second
    params:
        settings=partition_settings,
        lists=partition_lists,
        code=code_fingerprint("partition.make_half"),
    shell:
        "python -P -m workflow_scripts.partition.make_half --name {wildcards.partition} --half {wildcards.half}"
        " --classes {input.classes:q} --hierarchy {input.hierarchy:q} --settings {params.settings:q} {params.lists}"
        " --output {output:q} > {log:q} 2>&1"


rule make_task:
    """Choose the images of one half, and average them."""
    input:
        unpack(INPUTS.of_task),
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
        runtime=lambda wildcards: resources.task_minutes(INPUTS.half_dataset(wildcards)),
    params:
        settings=partition_settings,
        code=code_fingerprint("partition.make_task"),
    shell:
        "python -P -m workflow_scripts.partition.make_task --manifest {input.manifest:q} --partition {input.partition:q}"
        " --settings {params.settings:q} --half {wildcards.half} --output {output.task:q} > {log:q} 2>&1"


rule draw_task:
    """Draw some training images of each class of one half, and average them."""
    input:
        unpack(INPUTS.of_task),
    output:
        task=f"{RESULTS}/tasks/{{partition}}_draw_{{images}}_per_class/seed{{seed}}-{{half}}.npz",
        record=f"{RESULTS}/tasks/{{partition}}_draw_{{images}}_per_class/seed{{seed}}-{{half}}.json",
    log:
        f"{RESULTS}/logs/draw_task/{{partition}}_draw_{{images}}_per_class-seed{{seed}}-{{half}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/draw_task/{{partition}}_draw_{{images}}_per_class-seed{{seed}}-{{half}}.tsv"
    wildcard_constraints:
        images=r"\d+",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=1000,  # the index of ImageNet's images and a block of 256 images
        runtime=lambda wildcards: resources.task_minutes(INPUTS.half_dataset(wildcards)),
    params:
        settings=partition_settings,
        code=code_fingerprint("partition.make_task"),
    shell:
        "python -P -m workflow_scripts.partition.make_task --manifest {input.manifest:q} --partition {input.partition:q}"
        " --settings {params.settings:q} --half {wildcards.half} --draw {wildcards.images:q} --seed {wildcards.seed}"
        " --output {output.task:q} > {log:q} 2>&1"


rule list_tasks:
    """List the numbers of classes and images of all tasks."""
    input:
        [f"{RESULTS}/{task}.json" for task in TASKS],
    output:
        table=report(
            f"{RESULTS}/tables/tasks.csv",
            caption="../report/tasks.rst",
            category="Tables",
            labels={"table": "Tasks and their images"},
        ),
        record=f"{RESULTS}/tables/tasks.json",
    log:
        f"{RESULTS}/logs/list_tasks.log",
    benchmark:
        f"{RESULTS}/benchmarks/list_tasks.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # a second
    params:
        datasets=[dataset_of(config, job.partition, job.target) for job in TASKS.values()],
        code=code_fingerprint("partition.list_tasks"),
    shell:
        "python -P -m workflow_scripts.partition.list_tasks --tasks {input:q} --datasets {params.datasets:q}"
        " --output {output.table:q} --record {output.record:q} > {log:q} 2>&1"
