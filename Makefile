# Everything here works from a fresh checkout on a machine with Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
WORKERS ?= 2

.PHONY: help run test check fuzz faults conformance bench demo-data definitions clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: $(INSTALLED) ## Start the server on http://localhost:8080, with demo data if the store is empty
	@exec $(BIN)/fhir-server run --demo-if-empty

check: $(INSTALLED) ## Formatting, lint, types and import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## The whole test suite
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

fuzz: $(INSTALLED) ## Send 50,000 hostile requests; FUZZ_SEED repeats a run (some 5 minutes)
	$(BIN)/python -m tests.fuzz $(if $(FUZZ_SEED),--seed $(FUZZ_SEED)) $(if $(FUZZ_REQUESTS),--requests $(FUZZ_REQUESTS))

faults: $(INSTALLED) ## Kill, stall, fill and cut for longer; FAULT_ROUNDS and FAULT_SEED say how often and how
	FAULT_ROUNDS=$(or $(FAULT_ROUNDS),10) $(BIN)/pytest -n 0 -s tests/faults

conformance: $(INSTALLED) ## Check our server with the conformance kit; the report goes to build/conformance
	$(BIN)/python -m tests.conformance.own_result build/conformance

bench: $(INSTALLED) ## Measure the server beside a bare Flask + pymongo application (STORES=dir PEER=url ARGS=...)
	$(BIN)/python -m benchmarks $(if $(STORES),--stores '$(STORES)') $(if $(PEER),--peer '$(PEER)') $(ARGS)

demo-data: $(INSTALLED) ## Load 100 invented patients
	$(BIN)/fhir-server demo-data

definitions: $(INSTALLED) ## Condense the official definitions anew (needs FHIR_SHARED)
	$(BIN)/python scripts/condense_definitions.py
	$(BIN)/python scripts/condense_us_core_plans.py

clean: ## Remove what the targets made, but for data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info build
