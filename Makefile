# make workbook   everything from nothing: a virtual environment, a trained network, output/backprop.xlsx
# make test       the linter, the type checker and the tests
# make page       output/page: the page that builds and checks workbooks in a browser; needs npm
# make gallery    output/gallery: every template's workbook, an exercise, its solution, the trained network's workbook
# make clean      remove what the two made, except the workbook and the trained network
#
# TESTS chooses the tests: `make test TESTS=` runs all, CI all but the exhaustive proofs, which take more than its hour.
# PYTHON is the interpreter that the virtual environment is made with: make test PYTHON=python3.12

PYTHON ?= python3
TESTS ?= -m "not slow"
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard sheetgen cnn tests benchmarks tools)

.PHONY: workbook test page gallery clean
.DELETE_ON_ERROR:

# A network that is trained already, or in part, is taken up where it is; to train anew, remove output/cnn-run.
workbook: $(VENV)/installed
	@mkdir -p output
	$(BIN)/python -m cnn train -o output/cnn-run --recipe fast --dataset auto --resume
	$(BIN)/sheetgen build --cnn output/cnn-run --live -o output/backprop.xlsx

page: $(VENV)/installed
	PYTHONPATH=. $(BIN)/python tools/assemble.py output/page

gallery: workbook
	PYTHONPATH=. $(BIN)/python tools/gallery.py output/gallery --cnn output/cnn-run

test: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/pytest -n auto --dist loadgroup $(TESTS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +

# Each mark is newer than setup.cfg once what setup.cfg asks for is installed.
$(VENV)/installed: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cnn]'
	@touch $@

$(VENV)/installed-test: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cnn,test]'
	@touch $@ $(VENV)/installed

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: there is no $(PYTHON); Python 3.11 or newer is needed." \
	  "Install it, or name one: make workbook PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is" \
	  "$$($(PYTHON) --version 2>&1); Python 3.11 or newer is needed. Name one: make workbook PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments;" \
	  "its modules venv and ensurepip are needed. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
