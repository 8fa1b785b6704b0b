# Figures, tables and the report page, from results.csv and learning_curves.csv; the boost is drawn from its table.
FIGURES = {
    "figure2": ("plot_transfer", "results.csv", "--results"),
    "figure3": ("plot_distance", "results.csv", "--results"),
    "boost": ("plot_boost", "tables/boost.csv", "--table"),
    "learning": ("plot_learning", "learning_curves.csv", "--readings"),
}


rule figures:
    input:
        [f"{RESULTS}/figures/{figure}.{kind}" for figure in FIGURES for kind in ("png", "svg")],
        f"{RESULTS}/tables/boost.csv",
        f"{RESULTS}/tables/drops.csv",


for figure, (step, table, option) in FIGURES.items():

    rule:
        name:
            f"plot_{figure}"
        input:
            f"{RESULTS}/{table}",
        output:
            png=report(
                f"{RESULTS}/figures/{figure}.png",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels={"figure": figure, "format": "PNG"},
            ),
            svg=report(
                f"{RESULTS}/figures/{figure}.svg",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels={"figure": figure, "format": "SVG"},
            ),
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        conda:
            "../envs/plot.yaml"
        resources:
            mem_mb=500,  # Python with pandas and matplotlib
            runtime=5,  # seconds
        params:
            step=step,
            option=option,
            dpi=config["figures"]["dpi"],
            code=code_fingerprint(step),
        shell:
            "python -m workflow_scripts.{params.step} {params.option} {input:q} --dpi {params.dpi}"
            " --output {output:q} > {log:q} 2>&1"


rule make_tables:
    input:
        f"{RESULTS}/results.csv",
    output:
        boost=report(
            f"{RESULTS}/tables/boost.csv",
            caption="../report/boost.rst",
            category="Tables",
            labels={"table": "Boost of fine-tuned transfer"},
        ),
        drops=report(
            f"{RESULTS}/tables/drops.csv",
            caption="../report/drops.rst",
            category="Tables",
            labels={"table": "Drops by depth"},
        ),
        record=f"{RESULTS}/tables/tables.json",
    log:
        f"{RESULTS}/logs/make_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_tables.tsv"
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # a second
    params:
        code=code_fingerprint("make_tables"),
    shell:
        "python -m workflow_scripts.make_tables --results {input:q} --boost {output.boost:q}"
        " --drops {output.drops:q} --record {output.record:q} > {log:q} 2>&1"


rule write_report:
    input:
        template=workflow.source_path("../report/page.html.j2"),
        captions=[workflow.source_path(f"../report/{figure}.rst") for figure in FIGURES],
        results=f"{RESULTS}/results.csv",
        summary=f"{RESULTS}/results.json",
        boost=f"{RESULTS}/tables/boost.csv",
        figures=[f"{RESULTS}/figures/{figure}.svg" for figure in FIGURES],
    output:
        report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="Results",
            labels={"table": "Report page"},
        ),
    log:
        f"{RESULTS}/logs/write_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_report.tsv"
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # a second
    params:
        config=json.dumps(config, sort_keys=True),
        code=code_fingerprint("write_report"),
    shell:
        "python -m workflow_scripts.write_report --template {input.template:q} --results {input.results:q}"
        " --summary {input.summary:q} --boost {input.boost:q} --figures {input.figures:q}"
        " --captions {input.captions:q} --config {params.config:q} --output {output:q} > {log:q} 2>&1"
