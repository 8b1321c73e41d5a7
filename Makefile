# `make demo` and `make test` need Python 3.11 or newer and nothing else; they set up what is missing.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-slow test-chaos e2e screenshots lint messages format bench requirements clean clean-data

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.up-to-date
# The machine's own certificates where it has some: a company's proxy signs with one that uv does not bring along.
CERTIFICATES := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),--system-certs)
CODE := manage.py toonemo_site catalog analysis workers ml tests
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make requirements"

help:
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 22

setup: $(STAMP)  ## the environment alone; costs nothing when nothing changed

$(STAMP): requirements/dev.txt requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "ToonEmo needs Python 3.11 or newer; \`python3\` is $$(python3 --version 2>&1)." \
		"Set PYTHON=/path/to/python."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual" \
		"environment (on Debian and Ubuntu: install python3-venv)."; exit 1; }
	@echo "Setting up .venv; the first time this downloads about 3 GB."
	@test -x $(BIN)/uv || $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check --root-user-action=ignore \
		--require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync -q $(CERTIFICATES) --require-hashes --python $(BIN)/python requirements/dev.txt
	@touch $@

demo: setup  ## start everything, analyse the sample series, serve it on http://127.0.0.1:8000
	@exec $(BIN)/python manage.py demo $(ARGS)

test: setup  ## every quick test, on a real PostgreSQL and Redis of its own
	@$(BIN)/python -m pytest $(or $(ARGS),--numprocesses auto --maxprocesses 4 --dist loadfile)

test-slow: setup  ## what takes minutes: training, repetition
	@$(BIN)/python -m pytest -m slow $(ARGS)

test-chaos: setup  ## kill workers, flush Redis, restart PostgreSQL in the middle of a run, 20 times each
	@TOONEMO_CHAOS_TIMES=$(or $(TIMES),20) $(BIN)/python -m pytest tests/workers/test_chaos.py $(ARGS)

e2e: setup  ## the pages in a real browser
	@$(BIN)/python -m pytest -m e2e $(ARGS)

screenshots: setup  ## every page as a picture, on a desktop and on a phone, into docs/screenshots/
	@TOONEMO_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest -m e2e tests/e2e/test_screenshots.py $(ARGS)

lint: setup  ## style, types, import contracts, missing migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports --no-cache
	@DJANGO_SETTINGS_MODULE=toonemo_site.settings.test DATABASE_URL= $(BIN)/python -W ignore::RuntimeWarning \
		manage.py makemigrations --check --dry-run

messages: setup  ## take sentences to translate out of pages and code, and compile the translations
	@$(BIN)/python -m tests.site.messages $(ARGS)

format: setup  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup  ## how fast this machine is: drawings a second, and answers of a planted catalogue (EPISODES=2000)
	@$(BIN)/python -m ml bench $(ARGS)
	@$(BIN)/python manage.py bench --planted $(or $(EPISODES),2000)

requirements: $(BIN)/uv  ## compile requirements/*.in into pinned files with hashes
	@for name in uv dev; do $(COMPILE) requirements/$$name.in -o requirements/$$name.txt $(ARGS); done
	@for name in web worker; do $(COMPILE) -c requirements/dev.txt requirements/$$name.in -o requirements/$$name.txt; done

$(BIN)/uv:
	@$(MAKE) setup

clean:  ## remove the environment and what tools leave behind; keeps var/
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data:  ## remove var/: the demo's database, films and results; stop the demo first
	@rm -rf var
