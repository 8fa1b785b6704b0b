# These targets need make, git and Python 3.11, 3.12 or 3.13. `make run` runs the default study, `make test` the quick
# tests, and `make test-all` all tests but the fault suites and the fuzzers. Any may get PYTHON=/path/to/python3.12,
# INSTALL=uv or HASHES=no (envs/venv.sh). Nothing is installed but into .venv, which the workflow runs in, and into
# environments beside it that see its packages.
RUN := .venv/bin/python
DEV := .venv-dev/bin/python
STUDY_OPTION = $(if $(STUDY),--configfile $(STUDY))
# Not `all`, which would hide why Snakemake refuses.
QUIET := --quiet progress host reason rules
# Two processes share the tests, a file at a time and in the order given: a file's tests share costly fixtures. Much of
# the long files in front is starts and waiting. The short ones at the end let both processes end together.
AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder

# A user's settings for another Python do not count here. Steps run as modules: their scripts do not survive a move.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH
export PYTHON INSTALL HASHES
export PYTHONUTF8 := 1
# pip, Snakemake and matplotlib keep caches in the home folder. Snakemake asks for the user's name.
ifneq ($(shell [ -d "$$HOME" ] && [ -w "$$HOME" ] && echo yes),yes)
ifneq ($(shell [ -w . ] && echo yes),yes)
$(error $(CURDIR): the folder cannot be written to. Work in a checkout of your own, or fix its permissions)
endif
export HOME := $(CURDIR)/.venv-home
endif
ifeq ($(LOGNAME)$(shell whoami 2> /dev/null),)
export LOGNAME := nobody
endif

.PHONY: run ask environment environment-dev environment-cluster environment-fuzz plan verify docs units lock containerfile \
	test test-all test-cluster test-faults test-fuzz test-gpu lint bench-dag bench-data bench-train bench-gpu bench-ask
.DELETE_ON_ERROR:

run: environment
	$(RUN) -m snakemake --cores all
	@echo "The report is $(CURDIR)/results/sample/report.html"

# Which network, cut where, for a folder of images? Any of NETWORK, WEIGHTS, FINE_TUNE=1 and SEEDS=3 beside DATA.
ask: environment
	@$(RUN) -m workflow_scripts.config.ask --data "$$ASK_DATA" --network "$$ASK_NETWORK" --weights "$$ASK_WEIGHTS" \
		--fine-tune "$$ASK_FINE_TUNE" --seeds "$$ASK_SEEDS"

ask: export ASK_DATA = $(DATA)
ask: export ASK_NETWORK = $(NETWORK)
ask: export ASK_WEIGHTS = $(WEIGHTS)
ask: export ASK_FINE_TUNE = $(FINE_TUNE)
ask: export ASK_SEEDS = $(SEEDS)

plan: environment
	$(RUN) -m snakemake plan --cores all $(QUIET) $(STUDY_OPTION)

verify: environment
	$(RUN) -m snakemake verify --cores 1 $(QUIET) $(STUDY_OPTION)

test: environment-dev
	$(DEV) -m pytest $(AT_ONCE) -m "not slow"

test-all: environment-dev environment-cluster
	$(DEV) -m pytest $(AT_ONCE) tests/cluster tests/workflow tests/unit

test-cluster: environment-dev environment-cluster
	$(DEV) -m pytest tests/cluster

test-faults: environment-dev
	$(DEV) -m pytest -s tests/faults

test-fuzz: environment-fuzz
	PYTHONPATH=.:tests .venv-fuzz/bin/python tests/faults/fuzz.py --seconds $(or $(FUZZ_SECONDS),60)

test-gpu: environment-dev
	TRANSFERABILITY_GPU_TESTS_ON=$(or $(DEVICE),cuda) $(DEV) -m pytest -s tests/gpu

docs: environment
	$(RUN) -m workflow_scripts.config.document --schema schemas/config.schema.yaml --defaults config.yaml \
		--output docs/configuration.md

# The tables of torchvision's and our networks, in two minutes.
units: environment
	$(RUN) -m workflow_scripts.network.describe_networks

# Of the default study, or of STUDY: training.device chooses the environment with torch.
containerfile: environment
	PATH="$(CURDIR)/envs/standin:$$PATH" $(RUN) -m snakemake --containerize $(STUDY_OPTION) > Containerfile.new
	mv Containerfile.new Containerfile

lint: environment-dev
	$(DEV) -m ruff check .
	$(DEV) -m ruff format --check .
	$(DEV) -m snakefmt --check .
	$(RUN) -m snakemake --lint

bench-dag: environment
	PYTHONPATH=.:tests $(RUN) tests/bench/bench_dag.py

bench-data: environment
	PYTHONPATH=.:tests $(RUN) tests/bench/bench_data.py

bench-train: environment
	$(RUN) -m snakemake tasks --cores all $(QUIET)
	PYTHONPATH=.:tests $(RUN) -u tests/bench/bench_train.py
	PYTHONPATH=.:tests $(RUN) -u tests/bench/bench_engine.py
	PYTHONPATH=.:tests $(RUN) -u tests/bench/bench_resnet.py

bench-ask: environment-dev
	PYTHONPATH=.:tests $(DEV) -u tests/bench/bench_ask.py
	PYTHONPATH=.:tests $(DEV) -u tests/bench/bench_ask_pipeline.py
	PYTHONPATH=.:tests $(DEV) -u tests/bench/bench_probe_choices.py

bench-gpu: environment
	PYTHONPATH=.:tests $(RUN) -u tests/bench/bench_gpu.py --folder $(or $(FOLDER),results/bench_gpu)

environment:
	@sh envs/venv.sh .venv requirements.lock

environment-dev: environment
	@sh envs/venv.sh .venv-dev requirements-dev.lock .venv

environment-cluster: environment
	@sh envs/venv.sh .venv-cluster requirements-cluster.lock .venv

environment-fuzz: environment
	@sh envs/venv.sh .venv-fuzz requirements-fuzz.lock .venv

# What requirements*.txt bring along, for every platform and Python, with the hashes of PyPI's files. What is locked stays
# as it is where requirements*.txt allow it.
LOCK = .venv-dev/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header

lock: environment-dev
	$(LOCK) requirements.txt -o requirements.lock
	for name in dev cluster fuzz; do $(LOCK) -c requirements.lock requirements-$$name.txt -o requirements-$$name.lock || exit; done
