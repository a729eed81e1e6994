# Everything starts here: `make demo`, `make demo PLAY=1`, `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
APT    := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq

# Hundreds of processes start in one run of the tests: each module is compiled once for all of them.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test quick explore lint types imports collect locks clean chromium bench-env

help:  ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

# The locks name everything, so pip need not look what else is wanted.
$(VENV)/.run: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --no-deps --only-binary :all: --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@$(PIP) install --quiet --no-deps --no-compile --only-binary :all: --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.run  ## Run the main job in a pretend Slack (PLAY=1 plays it by itself)
	@$(BIN)/interlock demo $(if $(PLAY),--play)

test:  ## Lint, types, imports and all tests, Postgres included
	@$(MAKE) --no-print-directory --output-sync=line -j 2 chromium types lint imports collect
	$(BIN)/python -m pytest -n 5 --dist loadfile --no-loadscope-reorder

quick: $(VENV)/.dev  ## The tests that take under two minutes
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not slow and not browser"

explore: $(VENV)/.dev  ## Properties on examples that nobody tried yet
	$(BIN)/python -m pytest -n 4 --dist loadfile --hypothesis-profile explore $$(grep -rl "^from hypothesis" tests)

lint: $(VENV)/.dev  ## ruff
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## mypy strict
	$(BIN)/mypy

imports: $(VENV)/.dev  ## Imports point one way
	$(BIN)/lint-imports

collect: $(VENV)/.dev  ## Every test can be found; they are compiled on the way
	@$(BIN)/python -m compileall -q bot storage workflows sandbox
	@$(BIN)/python -m pytest --collect-only -qq >$(VENV)/.collected || { cat $(VENV)/.collected; exit 1; }

# The page is tested in a real browser; where none can be installed the tests say so loudly and skip.
# The one without windows is the lightest; a distribution may not have it.
chromium:
	@for one in chromium-headless-shell chromium google-chrome; do \
	    command -v $$one >/dev/null 2>&1 && exit 0; done; \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	    echo "Installing Chromium for the browser tests ..." && apt-get update -qq && \
	    { $(APT) chromium-headless-shell || $(APT) chromium; } >/dev/null; } || \
	  echo "NO CHROMIUM HERE: the browser tests will be skipped."

# The peers stand in no lock of the product: they are measured beside it, each in a process of its own.
.venv-bench/.peers: requirements-bench.lock
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet --only-binary :all: --require-hashes -r requirements-bench.lock
	@touch $@

bench-env: .venv-bench/.peers  ## Install the peers that bench/peers.py and bench/audit.py measure, into .venv-bench

locks:  ## Make the hash locks again (needs uv)
	UV_CUSTOM_COMPILE_COMMAND="make locks" uv pip compile -q --generate-hashes --universal --python-version 3.11 requirements.in -o requirements.lock
	UV_CUSTOM_COMPILE_COMMAND="make locks" uv pip compile -q --generate-hashes --universal --python-version 3.11 requirements-dev.in -o requirements-dev.lock
	UV_CUSTOM_COMPILE_COMMAND="make locks" uv pip compile -q --generate-hashes --universal --python-version 3.11 requirements-bench.in -o requirements-bench.lock
	UV_CUSTOM_COMPILE_COMMAND="make locks" uv pip compile -q --generate-hashes --universal --python-version 3.11 requirements-model.in -o workflows/model/model.lock

clean:  ## Remove the environment and what the demo left
	rm -rf $(VENV) .venv-bench .interlock
