# make run    the program, on an address that it prints
# make test   everything that can go wrong, checked: installs what the checks need, Chromium included
# make bench  how fast training, recording, the server and the page are
# make lint   style, types and import directions
# make fuzz   the readers of uploaded files on 200 000 damaged ones; for a night
# make format style, mended
# make chromium  the browser of the tests, where none is found
# make screenshot  the README's picture, taken anew
# make clean  back to a fresh checkout; training runs are kept

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
NODE_MODULES := tests/node_modules/.package-lock.json

.PHONY: run test bench fuzz lint format chromium screenshot clean

run: .venv/.run
	$(BIN)/ntm-scope $(ARGS)

test: .venv/.develop $(NODE_MODULES) chromium
	cd tests/frontend && node --test --test-reporter=spec
	$(BIN)/python -m server.compiled
	$(BIN)/pytest -m 'not browser' --numprocesses auto --maxprocesses 4
	$(BIN)/pytest -m browser

bench: .venv/.develop chromium
	$(BIN)/python -m tests.benchmarks.training
	$(BIN)/python -m tests.benchmarks.threads
	$(BIN)/python -m tests.benchmarks.recording
	$(BIN)/python -m tests.benchmarks.load
	$(BIN)/python -m tests.benchmarks.page
	$(BIN)/python -m tests.benchmarks.long_traces
	$(BIN)/python -m tests.benchmarks.memory

fuzz: .venv/.develop
	NTM_SCOPE_FUZZ_INPUTS=200000 $(BIN)/pytest tests/core/containers/test_fuzzing.py

screenshot: .venv/.develop chromium
	$(BIN)/pytest tests/browser/test_screenshot.py
	cp tests/output/main-view.png tests/browser/main-view.png

lint: .venv/.develop $(NODE_MODULES)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	tests/node_modules/.bin/tsc -p frontend/tsconfig.json

format: .venv/.develop
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

chromium: .venv/.develop
	$(BIN)/python -m tests.browser.chromium

clean:
	rm -rf .venv tests/node_modules tests/output build dist .cache .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find ntm_core server tests -name __pycache__ -prune -exec rm -rf {} +

.venv/.run: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --constraint constraints.txt --editable '.[fast]'
	touch $@

.venv/.develop: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --constraint constraints.txt --editable '.[fast,test,lint]'
	touch $@ .venv/.run

$(BIN)/pip:
	$(PYTHON) -m venv --clear .venv

$(NODE_MODULES): tests/package.json tests/package-lock.json
	npm ci --prefix tests
	touch $@
