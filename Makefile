# The desk's commands; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run wheels check test faults lint format contracts lock audit bench bench-pages images compose-test k8s-test up down clean
BIN := .venv/bin
PYTHON_FILES := libs services deploy expert expert-kit console local tools tests benchmarks

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make .venv with everything requirements.lock names
	@PYTHON="$(PYTHON)" scripts/setup
	@gateway/install

run: setup  ## start the whole desk on embedded parts at http://127.0.0.1:8080 (ARGS="--port 9000")
	@$(BIN)/desk up $(ARGS)

wheels: setup  ## build the library and the kit for offices into build/wheels
	@$(BIN)/uv build --quiet --wheel --out-dir build/wheels expert
	@$(BIN)/uv build --quiet --wheel --out-dir build/wheels expert-kit
	@ls build/wheels/*.whl

check: setup  ## check format, types and tests of one part or of all, in minutes (SERVICE=intake)
	@scripts/check $(SERVICE)

test: setup  ## run every test (ARGS="-k story"); installs the servers and the browser they need where it can
	@scripts/install-for-tests
	@if command -v node >/dev/null; then node --test gateway/tests/*.test.js; \
	else echo "test: the pages' unit tests need Node 20, which is not installed; they are not run"; fi
	@scripts/run-tests $(ARGS)

faults: setup  ## kill and cut real servers and services (FULL=1 for the full counts)
	@scripts/install-for-tests
	@FULL="$(FULL)" $(BIN)/pytest tests/faults $(ARGS)

images: setup  ## build every image (SOVEREIGN=1: all of them from Debian's packages)
	@gateway/install
	@OBSERVABILITY=1 scripts/compose build
	@CONSOLE=1 scripts/compose build console

compose-test: images  ## run the story in containers and kill each of them in turn (SOVEREIGN=1 as above)
	@$(BIN)/pytest -m compose tests/compose $(ARGS)

k8s-test:  ## run the desk in the cluster of KUBECONFIG and disturb it (K8S_LOAD="command that loads a tar file into its node")
	@[ -n "$$KUBECONFIG" ] || { echo "k8s-test: KUBECONFIG names no cluster; see deploy/k8s/README.md" >&2; exit 1; }
	@$(MAKE) images SOVEREIGN=1
	@$(BIN)/pytest -m k8s tests/k8s $(ARGS)

up: setup  ## start the whole system in containers at http://127.0.0.1:8080 (SOVEREIGN=1 as above; OBSERVABILITY=1: Prometheus and Grafana)
	@$(BIN)/python scripts/make-env
	@scripts/compose up --build --detach --wait
	@echo "up: http://127.0.0.1:$${DESK_PORT:-8080} is served; make down stops it and keeps the data"

down:  ## stop what make up started; the volumes stay
	@scripts/compose down

lint: setup  ## check format, style, types, imports and what is generated
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/desk-contracts --check
	@scripts/lint-pages
	@$(BIN)/python scripts/lint-markdown
	@$(BIN)/python scripts/lint-lengths

format: setup  ## format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

contracts: setup  ## write contracts/, the pages, nginx's routes and docs/settings.md from the code
	@$(BIN)/desk-contracts

lock: setup  ## compile requirements.lock again (ARGS="--upgrade")
	@scripts/lock $(ARGS)
	@scripts/setup

audit: setup  ## look for known vulnerabilities, risky code and secrets; write an SBOM per image to build/sbom/
	@scripts/audit

bench: setup  ## measure the desk and write benchmarks/RESULTS.md (ROWS=1000000: also with so many requests; ARGS="--only latency")
	@tests/install-servers
	@$(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS)) $(ARGS)

bench-pages: setup  ## check the pages, the console's pages and the proof of work against their time limits
	@$(BIN)/python -m benchmarks.pages
	@$(BIN)/python -m benchmarks.work
	@$(BIN)/python -m benchmarks.console

clean:  ## remove .venv and caches; data under .desk/ stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
