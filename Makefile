# Two commands matter: `make demo` and `make test`. `make help` lists the others.
# Another Python: make PYTHON=/usr/bin/python3.13. Words for the command: make demo ARGS="--seconds 20".

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
UPGRADE ?=
# A test mostly waits. Those of one file stay together, since some share what takes long to start.
SIDE_BY_SIDE := --numprocesses 3 --dist loadfile

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# The project itself, editable; what builds it is in the lock files.
INSTALL_SELF := $(INSTALL) --no-deps --no-build-isolation --editable .
LOCK := $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DELETE_ON_ERROR:
.PHONY: help demo test thorough lint format messages session bench soak guard faults fuzz system lock wheel wheels deb image sbom arm64 clean

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.demo ## a simulated factory, a broker, the agent, and the messages as they arrive
	@$(BIN)/edge-agent demo $(ARGS)

test: $(VENV)/.dev ## install what the tests need, and run those that are quick
	@tools/test-packages
	$(BIN)/python -m pytest $(or $(ARGS),$(SIDE_BY_SIDE))

thorough: $(VENV)/.dev ## the quick tests and those that take seconds each
	@tools/test-packages
	$(BIN)/python -m pytest -m "not (faults or system)" $(or $(ARGS),$(SIDE_BY_SIDE))

lint: $(VENV)/.dev ## style, types, layers and dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(VENV)/.dev ## let ruff lay out the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

messages: $(VENV)/.dev ## extract the texts that people read, and update and compile their translations
	@$(BIN)/python tools/messages

session: $(VENV)/.dev ## record the sessions of docs/commissioning.md anew
	@tools/test-packages
	@$(BIN)/python -m tests.acceptance.record_session

bench: $(VENV)/.dev ## the figures beside other programs' (ARGS="--quick --write": in short, into docs/benchmarks.md)
	@tools/test-packages
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/.dev ## whether memory grows in an hour (ARGS="--seconds 600": in ten minutes)
	@tools/test-packages
	@$(BIN)/python -m benchmarks soak $(ARGS)

guard: $(VENV)/.dev ## that a reading has not become dearer, beside bare pymodbus; half a minute
	@tools/test-packages
	@$(BIN)/python -m benchmarks.guard

faults: $(VENV)/.dev ## only the tests that break brokers, disks, clocks and machines
	@tools/test-packages
	$(BIN)/python -m pytest -m faults $(ARGS)

system: $(VENV)/.dev ## only the tests that install it on a Debian of its own and boot that; needs root
	@tools/test-packages
	@tools/guest-root build/roots/bookworm
	@{ command -v podman && command -v crun; } >/dev/null || tools/apt-install "Running the container image needs podman" podman crun buildah
	$(BIN)/python -m pytest -m system $(ARGS)

fuzz: $(VENV)/.dev ## only the tests that feed hostile bytes
	@tools/test-packages
	$(BIN)/python -m pytest -m fuzz $(ARGS)

wheel: $(VENV)/.dev ## dist/edge_agent-<version>-py3-none-any.whl
	@rm -rf dist
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

wheels: $(VENV)/.dev ## dist/wheels: everything install.sh needs where there is no network (ARGS="arm64 3.11")
	@tools/wheels $(BIN)/python dist/wheels $(ARGS)

deb: $(VENV)/.dev ## dist/edge-agent_<version>_<architecture>.deb (ARGS=arm64 for a Raspberry Pi)
	@tools/deb $(BIN)/python $(ARGS)

image: $(VENV)/.dev ## dist/edge-agent_<version>_<architecture>.image.tar, for docker load; needs root without Docker
	@tools/image $(BIN)/python

sbom: $(VENV)/.dev ## dist/edge-agent-<version>.cdx.json: what a gateway installs, with hashes and licences
	@$(BIN)/python tools/sbom

arm64: $(VENV)/.dev ## the core of the tests on an emulated arm64 Debian; needs root
	@tools/arm64-tests $(BIN)/python $(ARGS)

lock: $(VENV)/.dev ## write requirements/*.lock anew from pyproject.toml
	$(LOCK) pyproject.toml requirements/build.in --extra dev --output-file requirements/dev.lock
	$(LOCK) pyproject.toml requirements/build.in --extra demo --constraint requirements/dev.lock \
		--output-file requirements/demo.lock
	$(LOCK) requirements/build.in --constraint requirements/dev.lock --output-file requirements/build.lock
	$(LOCK) pyproject.toml --extra opcua --extra serial --extra lists --constraint requirements/dev.lock \
		--output-file requirements/gateway.lock
	$(LOCK) requirements/release.in --constraint requirements/dev.lock --output-file requirements/release.lock

clean: ## remove everything that can be made again, the environment too
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@tools/environment $(PYTHON) $(VENV)

$(VENV)/.demo $(VENV)/.dev: $(VENV)/.%: $(BIN)/python requirements/%.lock pyproject.toml
	@echo "Installing requirements/$*.lock into $(VENV) (this takes a few minutes the first time)" >&2
	@$(INSTALL) --require-hashes --requirement requirements/$*.lock
	@$(INSTALL_SELF)
	@touch $@
