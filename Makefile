# Everything runs through uv, which keeps the locked environment in .venv/ and fetches Python 3.13 where it is missing.
# Where uv itself is missing, any Python 3.9 or newer puts it into .tools/ from the package registry.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-all check bench docs app

# A uv on the PATH counts if it starts in this folder (a version manager's stand-in may not) and knows our options.
UV := $(if $(shell uv run --help 2>/dev/null | grep -e --no-default-groups),uv,.tools/bin/uv)
UV_HERE := $(filter .tools/%,$(UV))

# Fetch with the certificates that this machine trusts (a company's proxy, say), where their list is found.
SSL_CERT_FILE ?= $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
ifneq ($(SSL_CERT_FILE),)
export SSL_CERT_FILE
endif

# more words for the command: make run ARGS="--runs 20", make test ARGS="-k ledger"
ARGS ?=

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(UV_HERE) ## run the article's scenario: two curves on disk, the summary on screen
	$(UV) run --no-default-groups talentsim run meta-2025 $(ARGS)

test: check ## lint, types and the quick tests (about seven minutes on two cores)
	$(UV) run --locked pytest -m "not slow" $(ARGS)

test-all: check ## the same with the long tests
	$(UV) run --locked pytest $(ARGS)

check: $(UV_HERE) ## lint and types only
	$(UV) run --locked ruff check .
	$(UV) run --locked ruff format --check .
	$(UV) run --locked mypy

bench: $(UV_HERE) ## measure speed and memory beside plain Mesa
	$(UV) run --locked python -m benchmarks $(ARGS)
	$(UV) run --locked python -m benchmarks.growth
	$(UV) run --locked python -m benchmarks.users

docs: $(UV_HERE) ## write docs/parameters.md and docs/theory.md with its pictures (ARGS=parameters: that alone)
	$(UV) run --locked python -m sim.report.documents $(ARGS)

app: $(UV_HERE) ## open the browser page on this machine
	$(UV) run --no-default-groups --extra app talentsim app $(ARGS)

# Python is asked from / because a version manager would take this folder's .python-version for an order.
# A Python without venv (Debian packs it apart) may still have pip, which does as well.
.tools/bin/uv:
	@echo "uv is missing: fetching it into .tools/"
	@tools="$$PWD/.tools"; cd /; \
	for python in python3 python python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 none; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && break; \
	done; \
	if [ "$$python" = none ]; then echo "This needs Python 3.9 or newer, or uv, on the PATH." >&2; exit 1; fi; \
	{ "$$python" -m venv --clear "$$tools" && "$$tools/bin/python" -m pip install --quiet "uv>=0.9"; } >/dev/null 2>&1 || \
	{ rm -rf "$$tools"; "$$python" -m pip install --quiet --target "$$tools" "uv>=0.9"; } || \
	{ rm -rf "$$tools"; \
	  echo "uv could not be fetched: $$python needs venv or pip (on Debian: apt-get install python3-venv) and a network." >&2; \
	  exit 1; }
