# Wingmirror · Apache-2.0
#
#   make run          build the agent and run it on the sample capture, again and again, until Ctrl-C
#   make run ONCE=1   read the sample capture once, and print the table
#   make run SAMPLE=secure  the second sample: TLS by key log, HTTP/2, gRPC and WebSocket (ONCE=1 works too)
#   make run OPTIONS="--listen 127.0.0.1:9700"  with other options of `wingmirror run`
#   make test         check the formatting and run all tests

# Which sample `make run` plays: ingress, or secure.
SAMPLE := ingress
ifeq ($(filter $(SAMPLE),ingress secure),)
$(error there is no sample $(SAMPLE); SAMPLE is ingress or secure)
endif
SAMPLE_SUFFIX := $(if $(filter secure,$(SAMPLE)),-secure)
SAMPLE_CONFIGURATION := samples/wingmirror$(SAMPLE_SUFFIX).yaml
SAMPLE_CAPTURE := samples/captures/$(SAMPLE).pcap
SAMPLE_ROUTES := samples/istio$(SAMPLE_SUFFIX)

# Debian's names of the system libraries: packet capture, gzip, Brotli, regular expressions as Envoy has them, YAML.
SYSTEM_PACKAGES := libpcap-dev zlib1g-dev libbrotli-dev libre2-dev libyaml-dev

SOURCES := Package.swift Sources Tests

# SwiftPM evaluates the manifests of all packages again where the environment is another one: make's variables stay out of it.
SWIFT := env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL -u MAKE_TERMOUT -u MAKE_TERMERR \
	-u ONCE -u SAMPLE -u OPTIONS -u SEED -u SECONDS swift
# The release build, as a word of the shell.
PROGRAM := "$$($(SWIFT) build -c release --show-bin-path)/wingmirror"
# Reading once is possible beside an agent that loops: it takes a port that is free.
RUN_OPTIONS := $(if $(filter-out 0 no false,$(ONCE)),--once --listen 127.0.0.1:0,--loop) $(OPTIONS)

.DEFAULT_GOAL := help
.PHONY: help run build test fuzz soak peaks endpoints fuzz-conversations random-clients lint format bench deps metrics-page sample-page \
	shadow-demo dashboards-demo simulate-verdicts dashboards alert-simulation identities docs clean

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make lint         check the formatting only; make format repairs it"
	@echo "make fuzz TARGET=streams SECONDS=60  let libFuzzer look for octets that a reader cannot take"
	@echo "make soak         run an agent for half an hour with everything at once (as root); make peaks for memory at its peak"
	@echo "make endpoints    attack the endpoints, and say how long a probe waits (as root)"
	@echo "make fuzz-conversations  pair a million exchanges of each kind of disturbed conversation (minutes, once it is built)"
	@echo "make random-clients  let clients talk by chance through Envoy, and hold records against its log (as root; SEED, SECONDS)"
	@echo "make bench        measure, with the machine otherwise idle; tcpdump and tshark beside it if they are installed"
	@echo "make deps         install the system packages: $(SYSTEM_PACKAGES)"
	@echo "make shadow-demo  mirror traffic to two staging servers on this machine, and judge them (as root, needs nginx)"
	@echo "make simulate-verdicts  false alarms and powers of verdicts on many simulated routes (TRIALS=400)"
	@echo "make dashboards   check the dashboards and rules (needs promtool)"
	@echo "make dashboards-demo  start Prometheus and Grafana in containers beside make run (needs docker compose)"
	@echo "make alert-simulation  hold the alerts against 300 days of healthy traffic (half an hour; needs promtool)"
	@echo "make identities   hold what adds up against captures (CAPTURES=\"FOLDER…\", else those of the repository)"
	@echo "make docs         make a site of the documentation with DocC, in $(DOCUMENTATION_SITE)/site"
	@echo "make image        build a container image (Debian's buildah)"
	@echo "make install      build a static executable and install it with completions and a systemd unit, under PREFIX"
	@echo "make dist         the same as a tar archive, with licences, samples and dashboards"

run: build
	@program=$(PROGRAM); echo "The program is $$program"; exec "$$program" run $(SAMPLE_CAPTURE) \
		--config $(SAMPLE_CONFIGURATION) --routes $(SAMPLE_ROUTES) $(RUN_OPTIONS)

build: deps
	@echo "swift build -c release --product wingmirror" && $(SWIFT) build -c release --product wingmirror

TEST_OUTPUT := .build/test-output.txt

# How many tests are begun before others have ended. Without a bound all of them are at once: each holds its sockets and waits for
# its turn, and what a test may take counts from there.
TEST_WIDTH := 24

# What was skipped is said once more at the end, since it scrolls by.
test: SHELL := /bin/bash
test: deps lint
	@mkdir -p .build && set -o pipefail && \
		SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=$(TEST_WIDTH) swift test 2>&1 | tee "$(TEST_OUTPUT)"
	@skipped=$$(sed -nE 's/^.*(Test|Suite) (.*) skipped(: "?(.*[^"])"?)?\.?$$/  \2: \4/p' "$(TEST_OUTPUT)" | sort -u); \
	if [ -n "$$skipped" ]; then echo "Skipped on this machine:"; echo "$$skipped"; else echo "Nothing was skipped."; fi

# A conversation has about ten exchanges; each slice says which seeds it has, and a failure names its own.
FUZZ_SEED := 1
FUZZ_CONVERSATIONS := 100000
FUZZ_SLICE := 2000
FUZZ_OPTIONS := -c release -Xswiftc -enable-testing

fuzz-conversations: deps
	swift build --build-tests $(FUZZ_OPTIONS)
	@seed=$(FUZZ_SEED); end=$$((seed + $(FUZZ_CONVERSATIONS))); while [ $$seed -lt $$end ]; do \
		echo "Conversations of the seeds $$seed to $$((seed + $(FUZZ_SLICE) - 1)):"; \
		WINGMIRROR_FUZZ_SEED=$$seed WINGMIRROR_FUZZ_CONVERSATIONS=$(FUZZ_SLICE) \
			swift test $(FUZZ_OPTIONS) --skip-build --filter ConversationFuzzTests || exit 1; \
		seed=$$((seed + $(FUZZ_SLICE))); \
	done

# libFuzzer with the readers that take octets from others; what it finds goes to FUZZ_FOLDER/findings and belongs, with a name
# that says what was wrong, into Tests/FuzzingTests/Fixtures/failures.
FUZZ_FOLDER := .build/fuzz
FUZZ_BUILD := -c release --product Fuzz -Xswiftc -sanitize=fuzzer --scratch-path $(FUZZ_FOLDER)/build

fuzz: deps
	@test -n "$(TARGET)" || { echo "make: which? TARGET=streams SECONDS=60; the targets are the cases of FuzzTarget" >&2; exit 2; }
	swift build $(FUZZ_BUILD)
	@mkdir -p $(FUZZ_FOLDER)/corpus/$(TARGET) $(FUZZ_FOLDER)/findings
	@fuzz="$$(swift build $(FUZZ_BUILD) --show-bin-path)/Fuzz"; \
	"$$fuzz" seeds $(TARGET) $(FUZZ_FOLDER)/seeds/$(TARGET) && \
	SWIFT_BACKTRACE=enable=no "$$fuzz" $(TARGET) -max_total_time=$(or $(SECONDS),60) -timeout=10 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix=$(FUZZ_FOLDER)/findings/$(TARGET)_ \
		$(FUZZ_FOLDER)/corpus/$(TARGET) $(FUZZ_FOLDER)/seeds/$(TARGET)

# As root, on loopback: everything at once for SECONDS, half an hour unless told otherwise.
soak: build
	python3 Tests/Robustness/soak.py --agent $(PROGRAM) --seconds $(or $(SECONDS),1800)

# OPTIONS="--live" as root sends the frames to an agent that captures; "--output har" reads for another output.
peaks: build
	python3 Tests/Robustness/peaks.py --agent $(PROGRAM) $(OPTIONS)

# Against a real Envoy, whole and with packets taken out; OPTIONS="--keep FOLDER" leaves capture and logs there.
random-clients: build
	python3 Tests/Robustness/random_clients --agent $(PROGRAM) --seed $(or $(SEED),1) --seconds $(or $(SECONDS),20) $(OPTIONS)

endpoints: build
	python3 Tests/Robustness/endpoints.py --agent $(PROGRAM)

lint:
	swift format lint --strict --recursive --parallel $(SOURCES)

format:
	swift format --in-place --recursive --parallel $(SOURCES)

bench: deps
	swift run -c release Benchmarks

# Installs what is missing, and says what it would do where it may not.
deps:
	@command -v swift >/dev/null || { echo "make: there is no swift in PATH; see https://www.swift.org/install" >&2; exit 1; }
	@if ! command -v dpkg-query >/dev/null; then \
		echo "make: not a Debian system; the equivalents of these are taken to be installed: $(SYSTEM_PACKAGES)"; exit 0; \
	fi; \
	missing=""; \
	for package in $(SYSTEM_PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	install="apt-get install --yes --no-install-recommends$$missing"; \
	echo "make: missing system packages:$$missing"; \
	if [ "$$(id -u)" = 0 ]; then \
		sudo=""; \
	elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then \
		sudo="sudo"; \
	else \
		echo "make: neither root nor sudo; have root run: $$install" >&2; exit 1; \
	fi; \
	echo "make: $$sudo $$install"; \
	$$sudo $$install || { $$sudo apt-get update && $$sudo $$install; }

# The page that Tests/AgentCommandsTests compares with; to be looked at before it is committed.
sample-page: build
	$(PROGRAM) read $(SAMPLE_CAPTURE) --routes $(SAMPLE_ROUTES) \
		--output metrics > Tests/AgentCommandsTests/Fixtures/ingress.metrics

# The tables of the documentation's page of metrics, from the catalogue.
metrics-page: deps
	swift run MetricsPage Sources/AgentCommands/Documentation.docc/Metrics.md

# OPTIONS=--keep leaves everything up afterwards, so that the page and the report's curl lines can be tried.
shadow-demo: build
	@python3 samples/shadow/demo.py --agent $(PROGRAM) $(OPTIONS)

simulate-verdicts: deps
	WINGMIRROR_TRIALS=$(or $(TRIALS),400) swift test --filter VerdictSimulationTests

dashboards:
	python3 dashboards/check.py

# Prometheus and Grafana in containers, for the agent that `make run` starts.
COMPOSE ?= docker compose

dashboards-demo:
	$(COMPOSE) --file samples/grafana/compose.yaml up

alert-simulation:
	python3 dashboards/simulate.py

identities: build
	python3 Tests/Tools/identities.py --agent $(PROGRAM) \
		$(or $(CAPTURES),samples/captures Tests)

# DocC's own links are `doc:` and a page's name, where the pages have paths that a repository browser follows too.
DOCUMENTATION := $(wildcard Sources/*/Documentation.docc)
DOCUMENTATION_SITE := .build/documentation
DOCC_LINK := s/\]\((\.\.\/|[A-Za-z]+\/)*([A-Za-z0-9-]+)\.md(\#[^)]*)?\)/](doc:\2\3)/g

docs:
	@rm -rf "$(DOCUMENTATION_SITE)" && mkdir -p "$(DOCUMENTATION_SITE)"
	@cp -R $(DOCUMENTATION) "$(DOCUMENTATION_SITE)/Wingmirror.docc"
	@find "$(DOCUMENTATION_SITE)" -name '*.md' -exec sed -E -i.bak '$(DOCC_LINK)' {} +
	@find "$(DOCUMENTATION_SITE)" -name '*.bak' -delete
	docc convert "$(DOCUMENTATION_SITE)/Wingmirror.docc" --warnings-as-errors --fallback-display-name Wingmirror \
		--fallback-bundle-identifier wingmirror --output-path "$(DOCUMENTATION_SITE)/site"

clean:
	swift package clean

-include samples/kubernetes/image.mk
-include samples/systemd/install.mk
