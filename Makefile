# make demo   install, generate people, train, evaluate, draw: see demo/report/report.html
# make test   install and run the tests
# make lint   ruff

PYTHON ?= python3
# Further Keras backends to test, as pip names them: make test BACKENDS="jax torch"
BACKENDS ?=
# Processes that test, a file at a time each
JOBS ?= 2
BIN := .venv/bin

.PHONY: demo test lint clean

.venv/installed: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[test,app,export]"
	touch $@

test: .venv/installed
	$(if $(BACKENDS),$(BIN)/pip install --quiet $(BACKENDS))
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

demo: export TF_CPP_MIN_LOG_LEVEL = 3
demo: .venv/installed
	$(BIN)/python datasets/MPII/generate.py demo/data --train 3000 --valid 300 --overwrite
	$(BIN)/python exp/mpii/train_mpii_singleperson.py demo/train --overwrite --data demo/data \
		--size 128 --blocks 2 --batch-size 8 --epochs 4 --schedule cosine \
		--bn-momentum 0.9 --no-augmentation
	$(BIN)/python exp/mpii/eval_mpii_singleperson.py demo/report --data demo/data \
		--weights demo/train/weights_best.weights.h5 --untrained --report
	@echo "These people are generated; the paper's columns are for MPII's photographs."

clean:
	rm -rf .venv demo build *.egg-info
