# Jobs that say which GPU they were given, and when.
rule all:
    input:
        expand("used-{number}", number=range(5)),


rule use_gpu:
    output:
        "used-{number}",
    resources:
        gpu=1,
        mem_mb=100,
        runtime=5,
    shell:
        "start=$(date +%s.%N); sleep 3; echo $CUDA_VISIBLE_DEVICES $start $(date +%s.%N) > {output}"
