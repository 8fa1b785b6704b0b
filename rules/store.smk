# The packed store: each dataset is decoded and resized once, shard by shard, into uint8 (docs/design.md, rule 1).
#   needs  the dataset, classes.csv and survey.json
#   makes  in data/<name>/packed_<size>_<resize>/ the shards, manifest.json, quarantine.csv and duplicates.csv
rule packed:
    """Target: the packed stores."""
    input:
        [
            f"{store}/{name}"
            for store in STORES.values()
            for name in ("manifest.json", "duplicates.csv", "contact_sheet.png")
        ],


rule pack_shard:
    """Decode and resize one share of the images."""
    input:
        dataset=dataset_inputs,
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
        DATASET_ENVIRONMENT
    threads: config["store"]["threads"]
    resources:
        mem_mb=lambda wildcards, threads, attempt: resources.pack_memory(DATASETS[wildcards.dataset], threads, attempt),
        runtime=lambda wildcards, threads, attempt: resources.pack_minutes(
            DATASETS[wildcards.dataset], wildcards.split, threads, attempt
        ),
        # A limit like the others here: changing it makes nothing stale.
        max_bad_fraction=str(config["store"]["max_bad_fraction"]),
    params:
        dataset=dataset_settings,
        path=dataset_path,
        edition=lambda wildcards: dataset_now(wildcards.dataset).edition,
        settings=lambda wildcards: as_json(leaves.shard_leaves(config["store"], wildcards.split)),
        prefix=placed(f"{STORE}/{{split}}-{{shard}}"),
        code=code_fingerprint("store.pack_shard"),
    shell:
        "python -P -m workflow_scripts.store.pack_shard --dataset {params.dataset:q} --path {params.path:q} --classes {input.classes:q}"
        " --split {wildcards.split} --shard {wildcards.shard} --settings {params.settings:q}"
        " --max-bad-fraction {resources.max_bad_fraction:q} --threads {threads} --prefix {params.prefix:q} > {log:q} 2>&1"


rule pack_manifest:
    """Join the shards into the store's description."""
    input:
        classes=f"{STORE}/classes.csv",
        survey=ancient(f"{STORE}/survey.json"),
        records=lambda wildcards: shard_files(DATASETS[wildcards.dataset], "json"),
        indices=lambda wildcards: INPUTS.shards(wildcards.dataset, "csv"),
    output:
        manifest=f"{STORE}/manifest.json",
        quarantine=report(
            f"{STORE}/quarantine.csv",
            caption="../report/quarantine.rst",
            category="Data",
            labels={"table": "Images that could not be decoded"},
        ),
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
        code=code_fingerprint("store.pack_manifest"),
    shell:
        "python -P -m workflow_scripts.store.pack_manifest --classes {input.classes:q} --image-size {params.image_size:q}"
        " --resize {params.resize:q} --shards {input.records:q} --folder {params.folder:q} > {log:q} 2>&1"


rule find_duplicates:
    """List the validation images that are training images too."""
    input:
        unpack(INPUTS.of_plot),
    output:
        duplicates=report(
            f"{STORE}/duplicates.csv",
            caption="../report/duplicates.rst",
            category="Data",
            labels={"table": "Validation images that are training images too"},
        ),
        record=f"{STORE}/duplicates.json",
    log:
        f"{STORE}/logs/find_duplicates.log",
    benchmark:
        f"{STORE}/benchmarks/find_duplicates.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=1000,  # the checksums and, with duplicates, the index of ImageNet's images
        runtime=10,  # seconds; reads no image but those with equal checksums
    params:
        code=code_fingerprint("store.find_duplicates"),
    shell:
        "python -P -m workflow_scripts.store.find_duplicates --manifest {input.manifest:q} --output {output.duplicates:q} > {log:q} 2>&1"
