# The front door. `make` alone says what there is.

FRAMEWORK ?= pytorch
CORPUS ?=
WORKS ?=
ROUNDS ?= 3
PYTHON ?= $(shell command -v python3.11 || command -v python3)

BIN := .venv/bin
STAMP := .venv/.set-up

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup book pdf docs check fast coverage lowest test corpus fuzz audit bench clean

# $(call install,PACKAGES): install Debian packages where that is possible, otherwise say what is missing.
install = if [ "$$(id -u)" = 0 ]; then root=; else root="sudo -n"; fi; \
	  if command -v apt-get >/dev/null && $$root true 2>/dev/null; then \
	    $$root apt-get update -qq && \
	    $$root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1); \
	  else echo "$(1) is missing: install it, for example with \`sudo apt-get install $(1)\`" >&2; false; fi

help: ## Show this list
	@echo "Usage: make TARGET"
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12
	@echo
	@echo "After make setup, $(BIN)/d2lbuild --help says more."

setup: $(STAMP) ## Install d2lbuild, and what developing it takes, into .venv
	@:

# Also when the requirements in pyproject.toml have changed.
$(STAMP): pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "d2lbuild needs Python 3.11 or later: install it, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { $(call install,$(notdir $(PYTHON))-venv); }
	@test -x $(BIN)/pip || { echo "making .venv"; "$(PYTHON)" -m venv --clear .venv; }
	@echo "installing d2lbuild and its development tools into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

book: setup ## Build this repository's book: make book [FRAMEWORK=pytorch|mxnet|tensorflow|jax|all]
	@$(BIN)/d2lbuild build --framework $(FRAMEWORK)

# What a PDF needs of the system.
pdf_packages = $$($(BIN)/python -c 'from d2lbuild.rendering.pdf import system as s; print(s.PACKAGES, s.CHINESE_PACKAGES)')
has_tex = command -v xelatex >/dev/null && command -v rsvg-convert >/dev/null && command -v pdftotext >/dev/null && \
	  kpsewhich ctex.sty pzdr.tfm >/dev/null

pdf: setup ## Build this repository's book as a PDF: make pdf [FRAMEWORK=pytorch|mxnet|tensorflow|jax|all]
	@$(has_tex) || { packages="$(pdf_packages) poppler-utils"; $(call install,$$packages); }
	@$(BIN)/d2lbuild build --framework $(FRAMEWORK) --to pdf

docs: setup ## Build the manual into docs/_build, its reference from the code
	@$(BIN)/python tools/manual.py
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build
	@echo "$(CURDIR)/docs/_build/index.html"

# What says whether an EPUB is one.
has_epubcheck = command -v epubcheck >/dev/null && command -v java >/dev/null

# The stages without effects; tests/ mirrors d2lbuild/.
pure_tests = tests/config tests/source tests/edition tests/checking \
	  $(addprefix tests/test_,expansions.py notation.py tab.py wording.py)
fast_tests = not integration and not frameworks and not browser

check: setup ## Format, lint, types, import contracts and the tests of the stages without effects, in seconds
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2 --dist loadfile $(pure_tests)

fast: check ## The same, and all tests that neither build whole books nor start kernels
	$(BIN)/pytest -q -n 2 --dist loadfile -m '$(fast_tests)'

coverage: setup ## The stages without effects: their tests take every branch
	$(BIN)/coverage run -m pytest -q $(pure_tests)
	$(BIN)/coverage report

lowest: setup ## The fast tests with the oldest packages that pyproject.toml allows, in .venv-lowest
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/uv pip install --quiet --python .venv-lowest --resolution lowest-direct --only-binary :all: --no-binary d2lbuild \
	  --editable '.[all]'
	$(BIN)/uv pip install --quiet --python .venv-lowest pytest pytest-timeout pytest-xdist hypothesis ipykernel
	.venv-lowest/bin/python -m pytest -q -n 2 --dist loadfile --ignore tests/browser -m '$(fast_tests)'

test: setup ## Everything: also whole books, all frameworks and a real browser
	@command -v chromium >/dev/null || { $(call install,chromium); } || echo "going on without a browser" >&2
	@$(has_tex) || { packages="$(pdf_packages) poppler-utils"; $(call install,$$packages); } || echo "going on without LaTeX" >&2
	@$(has_epubcheck) || { $(call install,epubcheck default-jre-headless); } || echo "going on without epubcheck" >&2
	$(BIN)/d2lbuild env sync
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist loadfile

corpus: setup ## The tests of conformance over a real book: make corpus CORPUS=/path/to/d2l-en
	@test -n "$(CORPUS)" || { echo "which book? make corpus CORPUS=/path/to/d2l-en" >&2; exit 2; }
	CORPUS="$(abspath $(CORPUS))" $(BIN)/pytest tests/corpus

MINUTES ?= 5
TARGETS ?= all

fuzz: setup ## Look for files that are not read as they should be: make fuzz [TARGETS=all] [MINUTES=5]
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@$(BIN)/python tools/fuzz.py $(TARGETS) --minutes $(MINUTES)

audit: setup ## Ask PyPI for known vulnerabilities of what is installed, and list licences
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[audit]'
	$(BIN)/pip-audit --skip-editable
	$(BIN)/pip-licenses --order=license

bench: setup ## Measure beside the other tools: make bench CORPUS=/path/to/d2l-en [WORKS=library,html] [ROUNDS=3]
	@test -n "$(CORPUS)" || { echo "which book? make bench CORPUS=/path/to/d2l-en" >&2; exit 2; }
	$(BIN)/python -m bench "$(abspath $(CORPUS))" --works "$(WORKS)" --rounds "$(ROUNDS)"

clean: ## Remove what builds and tools have left here; results, environments and .venv stay
	@if test -x $(BIN)/d2lbuild; then $(BIN)/d2lbuild clean; fi
	rm -rf .venv-lowest .coverage .fuzz docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-artefacts
	find d2lbuild tests -type d -name __pycache__ -prune -exec rm -rf {} +
