# Two commands on a fresh machine: `make run` and `make test`. Both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
unexport PYTHONDONTWRITEBYTECODE  # each of many processes would compile everything anew

.PHONY: run test bench bench-cluster soak dist test-package test-systemd clean
.DELETE_ON_ERROR:

run: $(VENV)/.runs
	@exec $(BIN)/feedd run --config config.toml

test: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

bench: $(VENV)/.tests
	$(BIN)/python -m bench

bench-cluster: $(VENV)/.tests  # workers in network namespaces, and what befalls them: as root, on Linux; 20 minutes
	$(BIN)/python -m bench.cluster

soak: $(VENV)/.tests  # two days in the life, in fourteen minutes; then a short one in which Python says what was not closed
	$(BIN)/python -m bench.soak
	$(BIN)/python -m bench.soak --dev --minutes 1 --sources 40

$(VENV)/.runs: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "feedd needs Python 3.11 or newer; this is %d.%d. Try: make $(MAKECMDGOALS) PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

dist: $(VENV)/.tests
	$(BIN)/hatchling build --clean

test-package: $(VENV)/.tests  # installs both packages for real: it takes minutes, and needs a network
	$(BIN)/pytest -n0 tests/packaging/whole.py tests/docs/behind.py

test-systemd: $(VENV)/.tests  # boots a systemd in a container: as root, with debootstrap and systemd-container
	$(BIN)/python tests/systemd/booted.py

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
