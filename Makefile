# make app    set up if need be, and open the page at http://127.0.0.1:7860
# make test   set up if need be, and run the tests (under three minutes)
# make slow   the slower tests: training on the real corpus, a real Chromium
# make check  lint and types
# make bench  every benchmark and the load test into results/, and the README's table from them (ten minutes on a quiet
#             machine); make bench-NAME for one of them; DATA=DIR is the folder of clips for the archive, else made ones
# make fuzz   20,000 spoiled recordings through the recogniser (three minutes)

PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1 \
	&& { echo $$python; break; }; done)
BIN := .venv/bin

BENCHMARKS := clip start memory mood recording archive load films

.PHONY: app test slow check format fuzz bench

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

fuzz: .venv/app.done
	$(BIN)/python -m benchmarks.fuzz

bench: .venv/test.done
	@failed=; for name in $(BENCHMARKS); do $(MAKE) --no-print-directory bench-$$name || failed="$$failed bench-$$name"; done; \
	test -z "$$failed" || { echo "All others are done; these failed:$$failed"; exit 1; }

bench-%: .venv/test.done
	$(BIN)/python -m benchmarks.$* $(if $(filter archive,$*),$(DATA))
	$(BIN)/python -m ser_model.evaluation.readme

format: .venv/test.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 with venv is needed: sudo apt install python3 python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/app.done: requirements.txt | .venv/bin/pip
	$(BIN)/pip install -r requirements.txt
	@touch $@

.venv/test.done: requirements-dev.txt requirements-cluster.txt requirements.txt | .venv/bin/pip
	$(BIN)/pip install -r requirements-dev.txt
	@touch $@ .venv/app.done
