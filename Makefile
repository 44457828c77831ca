# Thin targets over CMake and the scripts. `make` alone lists them.
SHELL := /bin/bash
RUN_DIR ?= run
FUZZ_SECONDS ?= 60
JOBS ?= $(shell nproc)
export RUN_DIR

.DEFAULT_GOAL := help
.PHONY: help deps build run down logs test check fmt docs secrets images manifests-check test-kubernetes asan tsan fuzz corpus bench chaos load clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

deps: ## install what build, servers and tests need (Debian 12, as root)
	@docker/local/deps.sh

build: deps ## build the daemons (release) into build/release
	@cmake --preset release >build/release.log || { tail -n 20 build/release.log; exit 1; }
	@cmake --build --preset release -j $(JOBS) --target auth gateway converter notification converter-worker

run: build ## start servers and daemons on loopback, convert one video, say how to go on
	@docker/local/servers.sh start $(RUN_DIR)
	@docker/local/daemons.sh start $(RUN_DIR)
	@docker/local/demo.sh $(RUN_DIR)

down: ## stop all that `make run` started
	@[ -d $(RUN_DIR) ] || { echo "nothing was started: no folder $(RUN_DIR)"; exit 0; }; \
		docker/local/daemons.sh stop $(RUN_DIR) && docker/local/servers.sh stop $(RUN_DIR) && echo stopped

logs: ## follow the four daemons' logs
	@[ -f $(RUN_DIR)/gateway.log ] || { echo "there are no logs in $(RUN_DIR): start the suite by make run" >&2; exit 1; }
	@cd $(RUN_DIR) && exec tail -n 20 -F auth.log gateway.log converter.log notification.log

test: deps ## everything: unit, contract, service, system; also under sanitizers
	@tests/run.sh

secrets: ## make the Secrets of the manifests (files that git ignores)
	@manifests/secrets.sh

images: ## build the four images, with docker, podman or buildah
	@docker/images.sh

manifests-check: build ## render every overlay; schemas, references, environment
	@build/deps/venv/bin/python tests/manifests/check.py build/release

test-kubernetes: deps ## the suite as pods on the cluster of KUBECONFIG (see tests/kubernetes/run.py)
	@build/deps/venv/bin/python tests/kubernetes/run.py

asan: deps ## unit, contract, service and system tests under ASan+UBSan
	@tests/run.sh asan

tsan: deps ## the threaded tests under ThreadSanitizer
	@cmake --preset tsan >/dev/null && cmake --build --preset tsan -j $(JOBS) && TSAN_OPTIONS=suppressions=$(CURDIR)/tests/support/tsan.supp ctest --test-dir build/tsan -L threads --output-on-failure

check: deps ## format, lint, include rules, sizes of files and functions
	@tests/support/check.sh

fmt: ## format the sources
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

docs: build ## put the daemons' configuration tables into services/README.md
	@tests/support/readme_config.py build/release

fuzz: deps ## libFuzzer targets, FUZZ_SECONDS each
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

corpus: build ## the whole corpus of media files, each on 1, 2, 3 and 8 cores; CORPUS_SEED draws other damage
	@CORPUS_FILES=1000000 CORPUS_CORES=all build/deps/venv/bin/python tests/system/run.py build/release corpus

chaos: build ## faults of every kind for CHAOS_SECONDS (600), then the invariants; CHAOS_SEED replays; CHAOS_BLOBS=dir: blobs in a folder
	@build/deps/venv/bin/python tests/chaos/test_check.py
	@build/deps/venv/bin/python tests/chaos/chaos.py build/release

bench: build ## the figures of tests/README.md, as ratios against peers in the same run
	@cmake --build --preset release -j $(JOBS) --target peer_gridfs
	@build/deps/venv/bin/python tests/bench/bench.py

load: build ## what the gateway holds: thousands of slow and hostile clients beside normal traffic (LOAD_QUICK=1: small)
	@build/deps/venv/bin/python tests/bench/load.py

clean: down ## remove what build and run made
	@rm -rf build/dev build/asan build/tsan build/release build/fuzz build/*.log $(RUN_DIR)
