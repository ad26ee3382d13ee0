# Everything happens in .venv and .local inside this folder: no Node, no Docker, no PostgreSQL of the system.
PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Commands that read the settings need a sandbox beside them.
BESIDE := $(BIN)/python -m ims_portal.embedded test

.DEFAULT_GOAL := help
.PHONY: help install demo test thorough mutants bench load shots lint lock clean

help:
	@echo 'make demo [PORT=8000]    the portal with its story, on this machine; Ctrl-C stops all of it'
	@echo 'make test [ARGS="..."]   the whole suite, in JOBS=2 processes; ARGS goes to pytest'
	@echo 'make thorough            the same with all random histories and examples, some ten minutes more'
	@echo 'make bench [ARGS="..."]  what the hot paths take, beside a naive way and a limit of the machine'
	@echo 'make load [ARGS="..."]   what 100 people at once wait for while heavy work goes on, some twenty minutes'
	@echo 'make mutants [ARGS=M10]  programs without one guard of the write protocol each: a test must fail for every one'
	@echo 'make shots               pictures of every page and of the journeys, in screenshots/'
	@echo 'make lint                style, types, import contracts, bandit, missing migrations'
	@echo 'make install             only the environment, in .venv'
	@echo 'make lock                requirements.txt anew from requirements.in (needs uv)'
	@echo 'make clean               removes .venv and .local, the data of the demo with it'

install: $(VENV)/.installed

# The stamp comes last, so that an install that broke is made again.
$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; choose another: make PYTHON=/path/to/python3")'
	@echo 'Installing into $(VENV) ...'
	@$(PYTHON) -m venv --clear $(VENV) || { echo 'Python has no venv module; install it (on Debian: apt-get install python3-venv).'; exit 1; }
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.txt
	@touch $@

demo: install
	@exec $(BIN)/python -m ims_portal.run --port $(PORT)

# loadgroup gives each process the next test once it is free, in order; tests of one group keep together.
test: install
	@exec $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadgroup $(ARGS)

thorough: export IMS_THOROUGH = 1
thorough: test

bench: install
	$(BESIDE) $(BIN)/python manage.py bench $(ARGS)

load: install
	@exec $(BIN)/python -m tests.load $(ARGS)

mutants: install
	@exec $(BIN)/python -m tests.mutants $(ARGS)

shots: install
	IMS_SHOTS=1 $(BIN)/python -m pytest tests/journeys

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml ims_portal invoices returns
	$(BESIDE) $(BIN)/mypy
	$(BESIDE) $(BIN)/python manage.py makemigrations --check --dry-run

lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-config --upgrade requirements.in --output-file requirements.txt

clean:
	@test ! -e .local/demo/postgres/postmaster.pid || { echo 'A demo runs in this folder, or was killed; end it first, or start and end it once.'; exit 1; }
	rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
