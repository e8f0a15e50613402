# Two commands do all the set-up: `make lab` runs the workbench, `make test` proves it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt
# Where PYTHONDONTWRITEBYTECODE is set, as in many containers, each process would compile every module.
COMPILE := $(BIN)/python -m compileall -q workbench server_extension || true
PINS := pyproject.toml constraints.txt

# `make lab` adds the real models where there is an NVIDIA GPU, or when asked to with FULL=1.
FULL ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU && echo 1)
LAB_STAMP := $(if $(filter 1,$(FULL)),$(VENV)/.with-diffusion,$(VENV)/.base)

.PHONY: help lab dashboard test check docs format chromium firefox bench soak screenshots constraints clean

help:            ## Say what can be made.
	@grep -E '^[a-z]+: .*## |^[a-z]+:  *## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

lab: $(LAB_STAMP)  ## Run the workbench in JupyterLab, with its REST interface and dashboard.
	@$(COMPILE)
	@exec $(BIN)/python -m server_extension.launch $(ARGS)

dashboard: $(LAB_STAMP)  ## Serve the dashboard to others on the network; prints the link with its token.
	@$(COMPILE)
	@exec $(BIN)/python -m server_extension.launch --dashboard $(ARGS)

test: $(VENV)/.all chromium firefox  ## Run the whole suite.
	@$(COMPILE)
	$(BIN)/python -m pytest -m "not browser" --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)
	$(BIN)/python -m pytest -m browser --numprocesses 2 --dist loadfile $(ARGS)

check: $(VENV)/.all  ## Lint, formatting, types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.all  ## Build the documentation into build/docs; a warning is an error.
	$(BIN)/python -m docs.rest_reference
	$(BIN)/python -m docs.python_reference
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs build/docs
	@echo "Read build/docs/index.html"

format: $(VENV)/.all  ## Put the code in shape.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chromium: $(VENV)/.all  ## Find a Chromium for the browser tests, or install one.
	@$(BIN)/python -m tests.chromium --install

firefox: $(VENV)/.all  ## Find a Firefox for the playback test, or install one.
	@$(BIN)/python -m tests.firefox --install

bench: $(VENV)/.all  ## Measure the journey, prompts, pictures and queue.
	$(BIN)/python -m benchmarks.journey

soak: $(VENV)/.all  ## Two minutes of random faults against the job manager.
	$(BIN)/python -m benchmarks.soak

screenshots: $(VENV)/.all chromium  ## Take the pictures in docs/ and the README again.
	$(BIN)/python -m docs.screenshots

constraints: $(VENV)/.all  ## Write constraints.txt anew from what is installed.
	$(BIN)/python -m tests.pins --write

clean:           ## Remove what was installed and built; outputs/ stay.
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(PINS) | $(BIN)/python
	@echo "Installing the workbench …"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.with-diffusion: $(PINS) | $(BIN)/python
	@echo "Installing the workbench with the real models' libraries …"
	@$(INSTALL) --editable '.[diffusion,torchvision]'
	@touch $@ $(VENV)/.base

$(VENV)/.all: $(PINS) | $(BIN)/python
	@echo "Installing the workbench with everything …"
	@$(INSTALL) --editable '.[cluster,diffusion,local-llm,research,docs,test]'
	@touch $@ $(VENV)/.base
