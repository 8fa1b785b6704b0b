#!/usr/bin/env bash
# Puts the wheels of a folder and the machine's own torch into .venv, unless there is one, then runs the tests and the
# benchmark of a GPU, for machines without internet. Takes 9 minutes. docs/clusters.md says how to gather the wheels.
#   tests/gpu/on_a_fresh_machine.sh WHEELS OUTPUT [tests | bench | all | none]
set -uom pipefail  # -m: else what runs in the background would ignore SIGINT, on which pytest says what failed
cd "$(dirname "$0")/../.."
wheels=$(realpath "$1") output=$(realpath "$2") what=${3:-all} venv=$PWD/.venv
started=$SECONDS
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv --without-pip "$venv" || exit
    site=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
    machines=$(python3 -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parents[1])')
    echo "import site; site.addsitedir('$machines')" > "$site/machines.pth"
    python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$wheels"/*.whl || exit
fi
nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv,noheader
"$venv/bin/python" -c '
import numpy, pandas, torch
print("torch", torch.__version__, "numpy", numpy.__version__, "pandas", pandas.__version__)'
echo "installed after $((SECONDS - started)) s"
export PYTHONUNBUFFERED=1 PYTHONPATH=.:tests PYTHONDONTWRITEBYTECODE=1
test="timeout -s INT 180 $venv/bin/python -m pytest -p no:cacheprovider -rA --durations=15 -q"
status=0
if [ "$what" = tests ] || [ "$what" = all ]; then
    # What fills the GPU's memory runs after what needs some.
    $test tests/gpu/test_gpu_numbers.py tests/gpu/test_gpu_probes.py -k "not compiled and not company and not two_runs" \
        > "$output/numbers.log" 2>&1 & numbers=$!
    $test tests/gpu/test_gpu_numbers.py -k "company" > "$output/company.log" 2>&1 & company=$!
    $test tests/gpu/test_gpu_numbers.py -k "two_runs" > "$output/two_runs.log" 2>&1 & two_runs=$!
    $test tests/gpu/test_gpu_numbers.py -k "compiled" > "$output/compiled.log" 2>&1 & compiled=$!
    $test tests/gpu/test_gpu_graphs.py > "$output/graphs.log" 2>&1 & graphs=$!
    $test tests/gpu/test_gpu_jobs.py -k snakemake > "$output/study.log" 2>&1 & study=$!
    $test tests/gpu/test_gpu_jobs.py -k "not snakemake and not memory" > "$output/jobs.log" 2>&1 & jobs=$!
    for job in $numbers $company $two_runs $compiled $graphs $study $jobs; do wait "$job" || status=1; done
    $test tests/gpu/test_gpu_jobs.py -k memory > "$output/memory.log" 2>&1 || status=1
    for log in numbers company two_runs compiled graphs study jobs memory; do
        echo "== $log"
        grep -E "^(FAILED|ERROR|SKIPPED|E  )|passed|failed|losses differ|host memory" "$output/$log.log" | cut -c1-400 | head -40
    done
    (cd "$output" && tail -n +1 -- *.log > tests.txt && rm -- *.log)
    echo "tested after $((SECONDS - started)) s"
fi
if [ "$what" = bench ] || [ "$what" = all ]; then
    timeout ${BENCH_SECONDS:-280} "$venv/bin/python" tests/bench/bench_gpu.py --folder "$output" > "$output/bench.log" 2>&1 || status=1
    tail -c 6000 "$output/bench.log"
    echo "measured after $((SECONDS - started)) s"
fi
exit $status
