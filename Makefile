# make app      set up .venv if need be, and open the page at http://127.0.0.1:7860
# make test     the default tests (two and a half to five minutes on two cores)
# make slow     the slow tests: training, the real corpus (MOOD_SHARED=DIR, default ../shared), a real Chromium
# make check    ruff and mypy
# make format   let ruff fix and format
# make bench    benchmarks clip, start, load and soak into results/, and the tables made from them (on a quiet machine)
# make fuzz     20,000 damaged recordings through the recognizer (a quarter of an hour)
# make release  what a release must hold: bars, and results measured with the shipped weights

PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1 \
	&& { echo $$python; break; }; done)
BIN := .venv/bin

.PHONY: app test slow check format fuzz bench release

app: .venv/app.done
	$(BIN)/python app.py

test: .venv/test.done
	$(BIN)/python -m pytest

slow: .venv/test.done
	$(BIN)/python -m pytest -m "slow or browser"

check: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/test.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/test.done
	for name in clip start load soak; do $(BIN)/python -m benchmarks $$name || exit 1; done
	$(BIN)/python -m ser_model report

fuzz: .venv/app.done
	$(BIN)/python -m benchmarks fuzz

release: check
	$(BIN)/python .ci/release.py

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 with venv is needed: sudo apt install python3 python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/app.done: requirements.txt | .venv/bin/pip
	$(BIN)/pip install -r requirements.txt
	@touch $@

.venv/test.done: requirements-dev.txt requirements-cluster.txt requirements.txt | .venv/bin/pip
	$(BIN)/pip install -r requirements-dev.txt
	@touch $@ .venv/app.done
