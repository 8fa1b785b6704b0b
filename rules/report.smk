# Figures and the report page, from results.csv and what lies beside it; the contact sheet of the packed store.
#   needs  results.csv, learning_curves.csv, tables/, similarity/, base networks' weights; the captions in report/
#   makes  results/<study>/figures/ (PNG, SVG, PDF), report.html; contact_sheet.png in the store's folder
rule figures:
    """Target: all figures and tables."""
    input:
        [f"{RESULTS}/figures/{figure}.{kind}" for figure in FIGURES for kind in ("png", "svg", "pdf")],
        [f"{RESULTS}/tables/{table}.csv" for table in TABLES],


for figure in FIGURES:

    rule:
        """Draw one figure."""
        name:
            f"plot_{figure}"
        input:
            records_of(figure_inputs(figure)),
            **figure_inputs(figure),
        output:
            [
                report(
                    f"{RESULTS}/figures/{figure}.{kind}",
                    caption=f"../report/{figure}.rst",
                    category="Figures",
                    labels={"figure": caption_title(Path(ROOT), figure), "format": kind.upper()},
                )
                for kind in ("png", "svg", "pdf")
            ],
            f"{RESULTS}/figures/{figure}.json",
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        localrule: True
        conda:
            "../envs/plot.yaml"
        resources:
            mem_mb=500,  # Python with pandas and matplotlib
            runtime=5,  # seconds
        params:
            figure=figure,
            options=input_options,
            reference=uncompared(named_options(figure_reference(figure).items())),
            content=contents(figure_reference(figure)),
            dpi=config["figures"]["dpi"],
            code=code_fingerprint(f"report.figures.{figure}"),
        shell:
            "python -P -m workflow_scripts.report.figures.{params.figure} {params.options} {params.reference} --dpi {params.dpi:q}"
            " --output {output:q} > {log:q} 2>&1"


PAGE_TEXTS = {
    "template": workflow.source_path("../report/page.html.j2"),
    "table_captions": [workflow.source_path(f"../report/{table}.rst") for table in TABLES],
    "captions": [workflow.source_path(f"../report/{figure}.rst") for figure in FIGURES],
}
REPORTED = [f"{RESULTS}/tables/{table}.csv" for table in TABLES]
REPORTED += [f"{RESULTS}/figures/{figure}.svg" for figure in FIGURES]


rule write_report:
    """Write the report, one page that opens without internet."""
    input:
        records_of({"files": REPORTED}),
        **({"readings": f"{RESULTS}/learning_curves.csv"} if TRAINED else {}),
        **({"duplicates": [f"{store}/duplicates.json" for store in STORES.values()]} if TRAINED else {}),
        results=f"{RESULTS}/results.csv",
        summary=f"{RESULTS}/results.json",
        findings=f"{RESULTS}/tables/findings.json",
        tables=[f"{RESULTS}/tables/{table}.csv" for table in TABLES],
        figures=[f"{RESULTS}/figures/{figure}.svg" for figure in FIGURES],
    output:
        page=report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="Results",
            labels={"table": "Report page"},
        ),
        record=f"{RESULTS}/report.json",
    log:
        f"{RESULTS}/logs/write_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_report.tsv"
    localrule: True
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=500,  # Python with pandas
        runtime=5,  # seconds
    params:
        options=input_options,
        texts=uncompared(named_options(PAGE_TEXTS.items())),
        content=lambda wildcards: contents(PAGE_TEXTS),
        config=uncompared(as_json(config)),
        shown=lambda wildcards: as_json(leaves.shown_leaves(config)),
        code=code_fingerprint("report.write_report"),
    shell:
        "python -P -m workflow_scripts.report.write_report {params.options} {params.texts} --config {params.config:q} --output {output.page:q}"
        " > {log:q} 2>&1"


rule plot_store:
    """Draw the first training images of the classes."""
    input:
        unpack(INPUTS.of_plot),
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
        code=code_fingerprint("report.figures.contact_sheet"),
    shell:
        "python -P -m workflow_scripts.report.figures.contact_sheet --manifest {input.manifest:q} --dpi {params.dpi:q} --output {output:q}"
        " > {log:q} 2>&1"
