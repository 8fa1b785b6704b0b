# The packed store: each dataset is decoded and resized once, shard by shard, into uint8 (DESIGN, rule 1).
rule packed:
    input:
        f"{STORE}/manifest.json",
        f"{STORE}/contact_sheet.png",


rule survey_dataset:
    input:
        dataset_inputs(),
    output:
        classes=f"{STORE}/classes.csv",
        hierarchy=f"{STORE}/hierarchy.csv",
        record=f"{STORE}/survey.json",
    log:
        f"{STORE}/logs/survey_dataset.log",
    benchmark:
        f"{STORE}/benchmarks/survey_dataset.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=2000,  # the names of a tree of ImageNet's size, twice
        runtime=30,  # listing a tree of 1.3 million files; an archive takes seconds
    params:
        dataset=[config["dataset"]["kind"], config["dataset"]["path"]],
        dataset_bytes=dataset_bytes,
        image_size=config["store"]["image_size"],
        train_shards=config["store"]["train_shards"],
        folder=lambda wildcards, output: os.path.dirname(output.record),
        code=code_fingerprint("survey_dataset"),
    shell:
        "python -m workflow_scripts.survey_dataset --kind {params.dataset[0]:q} --path {params.dataset[1]:q}"
        " --image-size {params.image_size:q} --train-shards {params.train_shards:q} --folder {params.folder:q}"
        " > {log:q} 2>&1"


rule pack_shard:
    input:
        dataset=dataset_inputs(),
        classes=f"{STORE}/classes.csv",
        survey=ancient(f"{STORE}/survey.json"),
    output:
        pixels=f"{STORE}/{{split}}-{{shard}}.u8",
        index=f"{STORE}/{{split}}-{{shard}}.csv",
        checksums=f"{STORE}/{{split}}-{{shard}}.crc",
        record=f"{STORE}/{{split}}-{{shard}}.json",
    log:
        f"{STORE}/logs/pack_shard/{{split}}-{{shard}}.log",
    benchmark:
        f"{STORE}/benchmarks/pack_shard/{{split}}-{{shard}}.tsv"
    conda:
        "../envs/data.yaml"
    threads: config["store"]["threads"]
    resources:
        mem_mb=pack_memory,
        runtime=pack_minutes,
        # A limit like the others here: changing it makes nothing stale.
        max_bad_fraction=str(config["store"]["max_bad_fraction"]),
    params:
        dataset=[config["dataset"]["kind"], config["dataset"]["path"]],
        settings=pack_settings,
        dataset_bytes=dataset_bytes,
        prefix=f"{STORE}/{{split}}-{{shard}}",
        code=code_fingerprint("pack_shard"),
    shell:
        "python -m workflow_scripts.pack_shard --kind {params.dataset[0]:q} --path {params.dataset[1]:q} --classes {input.classes:q}"
        " --split {wildcards.split} --shard {wildcards.shard} --settings {params.settings:q}"
        " --max-bad-fraction {resources.max_bad_fraction:q} --threads {threads} --prefix {params.prefix:q} > {log:q} 2>&1"


rule pack_manifest:
    input:
        classes=f"{STORE}/classes.csv",
        survey=ancient(f"{STORE}/survey.json"),
        records=shard_files("json"),
        indices=[ancient(file) for file in shard_files("csv")],
    output:
        manifest=f"{STORE}/manifest.json",
        quarantine=f"{STORE}/quarantine.csv",
    log:
        f"{STORE}/logs/pack_manifest.log",
    benchmark:
        f"{STORE}/benchmarks/pack_manifest.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=1000,  # the index of ImageNet's images, 40 MB of CSV
        runtime=10,  # reads the indices only
    params:
        image_size=config["store"]["image_size"],
        resize=config["store"]["resize"],
        folder=lambda wildcards, output: os.path.dirname(output.manifest),
        code=code_fingerprint("pack_manifest"),
    shell:
        "python -m workflow_scripts.pack_manifest --classes {input.classes:q} --image-size {params.image_size:q}"
        " --resize {params.resize:q} --shards {input.records:q} --folder {params.folder:q} > {log:q} 2>&1"


rule plot_store:
    input:
        unpack(store_files),
    output:
        report(
            f"{STORE}/contact_sheet.png",
            caption="../report/contact_sheet.rst",
            category="Data",
            labels={"figure": "Images of the classes"},
        ),
        f"{STORE}/contact_sheet.json",
    log:
        f"{STORE}/logs/plot_store.log",
    benchmark:
        f"{STORE}/benchmarks/plot_store.tsv"
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=1000,  # the index of ImageNet's images
        runtime=5,  # seconds
    params:
        dpi=config["figures"]["dpi"],
        code=code_fingerprint("plot_store"),
    shell:
        "python -m workflow_scripts.plot_store --manifest {input.manifest:q} --dpi {params.dpi:q} --output {output:q}"
        " > {log:q} 2>&1"
