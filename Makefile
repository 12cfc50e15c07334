# Fieldwise. `make run` sets up what is missing and starts everything; `make test` runs the whole suite.
# Another Python:      make run PYTHON=python3.12
# Another port:        make run FIELDWISE_PORT=8080
# CPU build of torch:  make run TORCH_INDEX=https://download.pytorch.org/whl/cpu   (see constraints.txt)

PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
       $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
export HF_HUB_OFFLINE := 1

.PHONY: run test check bench docs clean format

run: .venv/.ready
	@$(BIN)/fieldwise up

test: .venv/.ready-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_docs.py

# Published instances: make bench SOLOMON=path/to/solomon; a demand file of your own: make bench DEMAND=file.csv.gz
SOLOMON ?=
DEMAND ?= tests/forecasting/six_stations.csv.gz
bench: .venv/.ready-dev
	$(BIN)/python -m benchmarks.hints
	$(BIN)/python -m benchmarks.hint_learning
	$(BIN)/python -m benchmarks.routing $(if $(SOLOMON),--solomon $(SOLOMON),--parts days,staffing)
	$(BIN)/python -m benchmarks.forecasting backtest $(DEMAND)
	$(BIN)/python -m benchmarks.forecasting speed
	$(BIN)/python -m benchmarks.jobs

docs: .venv/.ready-dev
	$(BIN)/python tools/write_reference.py

format: .venv/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The stamps say what is installed; a change of pyproject.toml or constraints.txt installs again.
.venv/bin/python:
	@$(PYTHON) tools/preflight.py
	$(PYTHON) -m venv .venv

.venv/.ready: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing Fieldwise and its packages into .venv (a few minutes, once) …"
	$(PIP) -e .
	@echo "Compiling the route search (about a minute, once) …"
	@$(BIN)/python -m routing.compile_search
	@touch $@

.venv/.ready-dev: .venv/.ready pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing what development and tests need …"
	$(PIP) -e '.[dev]'
	@touch $@
