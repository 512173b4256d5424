# Two commands matter: `make demo` and `make test`. Each sets up .venv first when it has to.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help dev demo up load check protos test test-long test-clients test-compose soak faults bench picture clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Rollplane needs Python 3.11 or newer; set PYTHON=… to one" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[all]' --group dev
	@touch $@

dev: $(STAMP) ## set up .venv for development

demo: $(STAMP) ## two Deployments through everything that can happen to them (under 90 s)
	$(BIN)/rollplane demo

up: $(STAMP) ## a control plane with 10 simulated nodes, until Ctrl-C
	$(BIN)/rollplane up

load: $(STAMP) ## 100 Deployments of 10 pods created, updated and rolled over, measured
	$(BIN)/rollplane load rollover

check: $(STAMP) ## format, lint, references, types, import contracts, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python protos/generate.py --check
	$(BIN)/python protos/generate.py --lint
	$(BIN)/python docs/check_references.py
	$(BIN)/lint-imports
	$(BIN)/mypy

protos: $(STAMP) ## generate the Python code beside the .proto files
	$(BIN)/python protos/generate.py

# Four workers and hundreds of processes would compile all that they import, each anew, where the environment says so.
test test-long test-clients soak: export PYTHONDONTWRITEBYTECODE =

test: $(STAMP) ## the tests (under five minutes on two cores)
	$(BIN)/pytest -q -n 4 --dist loadfile

test-long: $(STAMP) ## the long ones: every kind on processes, nodes lost in real time, loads, a soak, the wheel installed
	$(BIN)/pytest -q -n 4 --dist loadfile -m long tests/clients/load tests/end_to_end tests/packaging tests/soak

test-clients: $(STAMP) ## real kubectl, Helm and client libraries against a plane; fetches them once, skips what cannot be had
	@$(BIN)/python -m pip install -q -c constraints.txt --group clients || echo "client libraries cannot be had: tests with those that are missing skip" >&2
	$(BIN)/python -m tests.clients.tools
	$(BIN)/pytest -q -rs -n 2 --dist loadfile -m real_clients tests/clients

MINUTES ?= 5
SEED ?= 0
soak: $(STAMP) ## kill, pause and cut a plane of real processes; MINUTES=5, SEED=0 for any
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED)

SEEDS ?= 1000
faults: $(STAMP) ## roll over in one process and virtual time while calls and watches break, one story a seed
	$(BIN)/python -m tests.faults --seeds $(SEEDS)

test-compose: $(STAMP) ## build the images and tell the demo's story against docker-compose.yml (needs Docker)
	tests/compose/run.sh

bench: $(STAMP) ## measure; numbers as docs/performance.md has them
	$(BIN)/python -m tests.bench

picture: $(STAMP) ## draw docs/pictures/rollover.svg anew, from a real rollover
	$(BIN)/python docs/pictures/draw_rollover.py

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
