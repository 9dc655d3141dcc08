# Every command of the project; `make help` lists them. Each one works on a fresh machine that has
# nothing but Python 3.10 or later and make: the environment is made first, once.

PYTHON ?= python3
VENV ?= .venv
INPUT ?=
DEMO_DIR ?= demo
PYTEST_ARGS ?=
TEST_JOBS ?= 2

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports docs coverage format clean distclean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED) ## upscale and interpolate a rendered clip, or your own with INPUT=my.mp4, into demo/
	@$(BIN)/python -m msvsr demo --output-dir "$(DEMO_DIR)" $(if $(INPUT),"$(INPUT)")

test: $(INSTALLED) ## run every test, the examples in the documentation included
	@$(BIN)/python -m pytest --numprocesses $(TEST_JOBS) --dist loadfile $(PYTEST_ARGS)

check: lint types imports test ## lint, types, imports, tests and documentation: all that CI asks

lint: $(INSTALLED) ## style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED) ## static types
	@$(BIN)/mypy msvsr

imports: $(INSTALLED) ## who may import whom
	@$(BIN)/lint-imports

docs: $(INSTALLED) ## only the documentation: code blocks, links and docstring examples
	@$(BIN)/python -m pytest tests/docs msvsr

coverage: $(INSTALLED) ## run the tests and show the lines and branches they miss
	@$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

format: $(INSTALLED) ## rewrite the code in the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## delete what builds, tests and the demo left; keep the environment
	rm -rf build dist *.egg-info .coverage* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache "$(DEMO_DIR)"
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## clean, and delete the environment
	rm -rf "$(VENV)"

$(INSTALLED): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "msvsr needs Python 3.10 or later; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
		$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv package" \
			"(Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		echo "Making the virtual environment $(VENV) ..."; $(PYTHON) -m venv --clear "$(VENV)"; }
	@echo "Installing msvsr and its tools into $(VENV) (some minutes, once) ..."
	@$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	@touch $@
