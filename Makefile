# Leadwire: `make` alone lists what can be made.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEVICES ?= 100
SECONDS ?= 30
RECORD ?=
DB ?= mitdb
JOBS ?= 1
PROCESSES ?= 1
BROKER ?= tansu
PEERS_VENV := .venv-peers

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test check format lint types imports bench-signal bench-pipeline bench-uploads bench-api bench-store soak chaos accuracy peers proto lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## .venv with .venv/bin/leadwire in it

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing into $(VENV) (about a minute) ..." >&2
	@$(PIP) install --quiet --no-compile --require-hashes -r requirements/run.txt
	@$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q $(VENV)/lib >/dev/null 2>&1 & $(BIN)/python -m storage.waveform_codec.warm >&2 & $(BIN)/python -m processors.ecg.warm >&2; wait
	@touch $@

install-dev: $(VENV)/.installed-dev

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@echo "installing the test tools ..." >&2
	@$(PIP) install --quiet --no-compile --require-hashes -r requirements/dev.txt
	@touch $@

demo: install ## installs, starts the embedded stack, streams patients, serves the dashboard (RECORD=path plays yours)
	@$(BIN)/leadwire demo $(if $(RECORD),--record "$(RECORD)")

test: install-dev ## installs, runs every test tier that can be had here and names the others with the reason
	@$(BIN)/python -m pytest

contract: install-dev ## 20,000 requests made up from the OpenAPI documents: no 5xx, no undocumented answer (REQUESTS=)
	@LEADWIRE_TEST_REQUESTS=$(or $(REQUESTS),20000) $(BIN)/python -m pytest -s tests/contract

check: install-dev lint types imports test ## exactly what CI runs: format, lint, types, import contracts, tests

format: install-dev ## put the source into the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install-dev
	$(BIN)/mypy

imports: install-dev
	$(BIN)/lint-imports

bench-signal: install ## samples per second of the engine beside neurokit2; one JSON object (DEVICES=)
	@$(BIN)/python -m bench.signal --devices $(DEVICES)

bench-pipeline: install $(if $(PEERS),$(PEERS_VENV)/.installed) ## the whole path under load, all on this machine; one JSON object (DEVICES= SECONDS= PROCESSES=1 BROKER=tansu|kafka LIMIT=1 PEERS=1 JSON=file)
	@$(BIN)/python -m bench.pipeline --devices $(DEVICES) --seconds $(SECONDS) --broker $(if $(PEERS),kafka,$(BROKER)) --processes $(PROCESSES) \
		$(if $(LIMIT),--find-limit) $(if $(PEERS),--peers) $(if $(JSON),--json "$(JSON)")

bench-uploads: install ## 1,000 reports of 2 MB, 16 at a time, with the object store away in between; one JSON object (COUNT= PARALLEL= STORE=minio|local JSON=file)
	@$(BIN)/python -m bench.uploads --count $(or $(COUNT),1000) --parallel $(or $(PARALLEL),16) --store $(or $(STORE),minio) \
		$(if $(JSON),--json "$(JSON)")

bench-api: install $(PEERS_VENV)/.installed ## lists, logins, mixed load and abuse over a month of 5,000 users; one JSON object (CADENCE= PART=lists,logins,mixed,abuse JSON=file); WRITE=1 puts it into docs/api-bench.md
	@$(BIN)/python -m bench.api $(if $(CADENCE),--cadence $(CADENCE)) $(if $(PART),--part $(PART)) \
		$(if $(JSON),--json "$(JSON)") $(if $(WRITE),--write)

bench-store: install $(PEERS_VENV)/.installed ## what the store takes in, how small it keeps it, how fast it gives it back; one JSON object (PART=formats,sustained,month,outages DATA= SERVER= SECONDS= JSON=file); WRITE=1 puts it into docs/store-bench.md
	@$(BIN)/python -m bench.store $(if $(PART),--part $(PART)) $(if $(DATA),--data $(DATA)) $(if $(SERVER),--server $(SERVER)) \
		--seconds $(SECONDS) $(if $(CADENCE),--cadence $(CADENCE)) $(if $(JSON),--json "$(JSON)") $(if $(WRITE),--write)

bench-store: SECONDS = 600

soak: install ## half an hour with restarts on Apache Kafka: nothing lost, memory flat (DEVICES= SECONDS= SEED= JSON=file)
	@$(BIN)/python -m bench.pipeline --soak --broker kafka --devices $(DEVICES) --seconds $(SECONDS) --seed $(SEED) \
		$(if $(JSON),--json "$(JSON)")

soak: DEVICES = 2500
soak: SECONDS = 1800
soak: SEED = 1

chaos: DEVICES := 50
chaos: SECONDS := 180
chaos: install ## kill, cut and fill up what a stream needs, then compare each device's books with the store (STACK= SCENARIO= DEVICES= SECONDS=); WRITE=1 puts it into docs/reliability.md
	@$(BIN)/python -m bench.chaos --stack $(or $(STACK),all) --scenario "$(or $(SCENARIO),all)" \
		--devices $(DEVICES) --seconds $(SECONDS) $(if $(KEEP),--keep "$(KEEP)") $(if $(WRITE),--write)

accuracy: install ## how well beats, waves, classes and rhythms are told (DB=mitdb|qtdb|nstdb|classes|af|vfdb|day|all); WRITE=1 puts it into docs/accuracy.md
	@$(BIN)/python -m bench.accuracy --db $(DB) $(if $(WRITE),--write)

$(PEERS_VENV)/.installed: requirements/peers.txt
	@$(PYTHON) -m venv $(PEERS_VENV)
	@echo "installing the open libraries into $(PEERS_VENV) (about a minute) ..." >&2
	@$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r requirements/peers.txt
	@touch $@

peers: install $(PEERS_VENV)/.installed ## the open libraries through the same scorer, half an hour for mitdb (DB= JOBS= WRITE=1 SLOW=1; REUSE=1 asks none twice)
	@$(BIN)/python -m bench.peers --db $(DB) --jobs $(JOBS) $(if $(SLOW),--slow) $(if $(REUSE),--reuse) $(if $(WRITE),--write)

proto: install-dev ## generate schemas/ecg_pb2.py from ecg.proto
	cd schemas && ../$(BIN)/python -m grpc_tools.protoc -I. --python_out=. \
		--plugin=protoc-gen-mypy=../$(BIN)/protoc-gen-mypy --mypy_out=. ecg.proto

lock: install-dev ## pin requirements/*.txt with hashes from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet requirements/peers.in -o requirements/peers.txt

clean: ## remove what was made here, data and caches included
	rm -rf $(VENV) $(PEERS_VENV) .leadwire .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
