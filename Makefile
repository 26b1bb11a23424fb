# Two commands do it all on a fresh machine with Python 3.11: `make app` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKSPACE ?= workspace
PORT ?= 8501

.PHONY: app test quick check format types lint browser benchmark trainers harness clean

app: $(VENV)/installed
	$(BIN)/mixlab app -w $(WORKSPACE) --port $(PORT)

test: $(VENV)/installed browser
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not e2e"
	$(BIN)/python -m pytest -m e2e

quick: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow and not e2e"

check: $(VENV)/installed lint types test

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/installed
	$(BIN)/mypy

# torch first and alone: with it present, nothing else pulls the builds with GPU libraries.
$(VENV)/installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' requirements.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# The browser tests want Chromium; without one they are skipped and say so.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	    (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium) >/dev/null 2>&1; } || \
	  echo "no Chromium found and none could be installed: the browser tests will be skipped"

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache

# Exports against the trainers' own parsers, in an environment of their own.
trainers: $(VENV)/installed
	test -x .venv-trainers/bin/python || $(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/python -m pip install --quiet $$(grep '^torch==' tests/trainers/requirements.txt)
	.venv-trainers/bin/python -m pip install --quiet -r tests/trainers/requirements.txt
	rm -rf build/trainers && mkdir -p build/trainers
	$(BIN)/python -m tests.trainers.make_exports build/trainers
	MIXLAB_EXPORTS=$(CURDIR)/build/trainers .venv-trainers/bin/python -m pytest -q -c /dev/null --noconftest \
	  --rootdir tests/trainers tests/trainers/check_parsers.py

# Sums of our scorer against lm-evaluation-harness itself, in an environment of its own.
harness: $(VENV)/installed
	test -x .venv-harness/bin/python || $(PYTHON) -m venv .venv-harness
	.venv-harness/bin/python -m pip install --quiet $$(grep '^torch==' tests/harness/requirements.txt)
	.venv-harness/bin/python -m pip install --quiet -r tests/harness/requirements.txt
	$(BIN)/python -m pytest tests/evaluation/test_harness.py tests/evaluation/test_harness_prompts.py
