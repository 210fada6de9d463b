# The commands of this repository; CI runs the same ones (.ci/run).
SHELL := /bin/bash
CARGO ?= cargo

# cargo-nextest runs the tests in parallel processes; without it, cargo's own runner does. The last line printed is the
# runner's own count either way, so doc tests come first.
# Twice as many at once as there are processors: some start the executable again and again and mostly wait for it.
THREADS = $(shell echo $$(( 2 * $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) )))
# WITHOUT_INDEXES=1 leaves out the tests that need what scripts/indexes installs: those whose names begin with `real_`.
RUN_TESTS = $(if $(shell command -v cargo-nextest),$(CARGO) nextest run --workspace --test-threads $(THREADS)$(if $(WITHOUT_INDEXES), -E 'not (binary(indexes) & test(/::real_/))'),$(CARGO) test --workspace --lib --bins --tests$(if $(WITHOUT_INDEXES), -- --skip ::real_))
RUN_KILLS = $(if $(shell command -v cargo-nextest),$(CARGO) nextest run --profile nightly --test kills,$(CARGO) test --test kills)

.DEFAULT_GOAL := help
.PHONY: help check test test-live nightly fuzz demo bench contract-data python-tool indexes cargo postgres

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: cargo ## Format, lints, docs and the rules of ARCHITECTURE.md
	@$(CARGO) fmt --version >/dev/null 2>&1 || { echo 'make: rustfmt is not installed: `rustup component add rustfmt`' >&2; exit 1; }
	@$(CARGO) clippy --version >/dev/null 2>&1 || { echo 'make: clippy is not installed: `rustup component add clippy`' >&2; exit 1; }
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps
	$(CARGO) test --quiet --test architecture

test: cargo postgres contract-data python-tool indexes ## All tests, on SQLite and on a throwaway Postgres (or DATABASE_URL_TEST)
	$(CARGO) test --quiet --workspace --doc
	$(CARGO) build --quiet --workspace --example demo
	scripts/with-postgres $(RUN_TESTS)

test-live: cargo ## Ask the public indexes that pip, npm and cargo are configured for about ten packages each
	scripts/with-public-indexes $(CARGO) run --quiet --example live

nightly: export KILL_RUNS ?= 200
nightly: cargo ## Kill the bot at 200 random moments on each database (KILL_RUNS=200, KILL_SEED for the first)
	KILL_SEED="$${KILL_SEED:-$$RANDOM$$RANDOM}" scripts/with-postgres $(RUN_KILLS)

# As the release is built, but with the arithmetic of our own code checked; what others wrote is taken as it is shipped.
CHECKED = --config profile.release.package.mass-driver.overflow-checks=true --config profile.release.package.mass-driver.debug-assertions=true

fuzz: export FUZZ_INPUTS ?= 1000000
fuzz: cargo ## Feed each manager, version scheme and the notes of releases a million hostile texts (FUZZ_INPUTS, FUZZ_SEED, FUZZ_ONLY=dockerfile)
	FUZZ_SEED="$${FUZZ_SEED:-$$RANDOM$$RANDOM}" $(CARGO) $(CHECKED) test --release --test fuzz -- --nocapture --test-threads 1

demo: cargo ## Watch the bot do its job, on stand-ins, with nothing else installed
	$(CARGO) run --example demo

bench: cargo ## Measure the figures of docs/benchmarks.md; FIGURE=webhooks takes one of them
	$(CARGO) build --release --bin mass-driver --example bench
	scripts/bench-peer
	WITH_POSTGRES_DURABLE=1 scripts/with-postgres target/release/examples/bench

contract-data: ## Fetch GitHub's API description and webhook examples for the tests, if they are missing
	@scripts/contract-data

python-tool: ## Fetch the README of the Python tool mass-driver, whose examples are tests, if it is missing
	@scripts/python-tool

indexes: ## Install the package indexes that tests ask, if they are missing (WITHOUT_INDEXES=1 does without)
	@scripts/indexes

cargo:
	@command -v $(CARGO) >/dev/null || { echo 'make: `$(CARGO)` is not installed: get the Rust toolchain (1.90 or newer) with rustup, or from your distribution' >&2; exit 1; }

# A throwaway Postgres that starts now will start after minutes of building, too.
postgres:
	@scripts/with-postgres true
