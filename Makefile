# SPDX-License-Identifier: Apache-2.0
# Runbook: builds the two daemons, runs them, tests them. `make help` lists what there is.

SHELL    := /bin/bash
BUILD    ?= build
CC       ?= gcc
PREFIX   ?= /usr/local
DESTDIR  ?=
PYTHON   := /usr/bin/python3
VERSION  := $(shell sed -n 's/^\#\# \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)
# When this was written, for what is built of it: the commit's time, or that which `make dist` has left.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
export SOURCE_DATE_EPOCH

# make SANITIZE=address,undefined BUILD=build/asan; make CRASH_POINTS=1 BUILD=build/crash
SANITIZE     ?=
CRASH_POINTS ?=
# NO_CONTRACTS=1 leaves assert_that() out, for measuring what it costs.
NO_CONTRACTS ?=

# V=1 shows each command whole; make -s shows none. Targets that build on the way to something else use all processors.
V        ?=
JOBS     ?= $(shell nproc)
Q        := $(if $(V),,@)
silent   := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say       = $(if $(V)$(silent),,@printf '  %-4s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@))
parallel  = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))

LIBRARIES := libmicrohttpd gnutls libcrypt libcurl hiredis libpq libcjson libfyaml sqlite3 libssl libcrypto zlib libprotobuf-c libsystemd expat
WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wvla -Wpointer-arith -Wwrite-strings -Wundef
CFLAGS    ?= -O2 -g
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)

# Asked only when something is compiled, so that `make deps` works on a machine that has no pkg-config yet.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(LIBRARIES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(LIBRARIES)))$(PKG_LIBS)

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -fdebug-prefix-map=$(CURDIR)=. $(CFLAGS) $(HARDENING) -pthread -Iinclude -I. -I$(BUILD) \
             -isystem $(BUILD)/generated $(PKG_CFLAGS) \
             -DRUNBOOK_VERSION='"$(VERSION)"' \
             $(if $(CRASH_POINTS),-DRUNBOOK_CRASH_POINTS) $(if $(NO_CONTRACTS),-DRUNBOOK_NO_CONTRACTS) \
             $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

lib_sources       := $(filter-out %/tables/powers_of_ten.c,$(shell find lib -name "*.c"))
exporter_sources  := $(shell find exporter -name "*.c")
responder_sources := $(shell find responder -name "*.c")
harness_sources   := $(wildcard tests/harness/*.c)
unit_sources      := $(shell find tests/unit -name "test_*.c")

objects            = $(patsubst %.c,$(BUILD)/%.o,$(1))
lib_objects       := $(call objects,$(lib_sources)) $(BUILD)/generated/metrics.pb-c.o
exporter_objects  := $(call objects,$(filter-out exporter/main.c,$(exporter_sources)))
responder_objects := $(call objects,$(filter-out responder/main.c,$(responder_sources)))
unit_programs     := $(patsubst %.c,$(BUILD)/%,$(unit_sources))

.PHONY: help build run test demo screenshots sim deps lint check-deep bench install uninstall clean unit coverage fuzz fuzz-search drivers format docs
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

build: $(BUILD)/runbook_exporter $(BUILD)/runbook_responder ## both daemons, in build/

$(BUILD)/runbook_exporter: $(BUILD)/exporter/main.o $(BUILD)/exporter.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/runbook_responder: $(BUILD)/responder/main.o $(BUILD)/responder.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/lib.a: $(lib_objects)
$(BUILD)/exporter.a: $(exporter_objects)
$(BUILD)/responder.a: $(responder_objects)
$(BUILD)/harness.a: $(call objects,$(harness_sources))
$(BUILD)/%.a:
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $^

# What the build writes: code from the protocol's description, and the table of powers of ten.
HOSTCC ?= cc
$(BUILD)/generated/metrics.pb-c.c: lib/metrics/metrics.proto
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)protoc-c --proto_path=lib/metrics --c_out=$(@D) $<
$(BUILD)/generated/metrics.pb-c.h: $(BUILD)/generated/metrics.pb-c.c ;
$(BUILD)/generated/metrics.pb-c.o: $(BUILD)/generated/metrics.pb-c.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -w -MMD -MP -c -o $@ $<
$(BUILD)/lib/metrics/protobuf.o $(BUILD)/tests/unit/lib/metrics/test_encode.o: $(BUILD)/generated/metrics.pb-c.h

$(BUILD)/generated/powers_of_ten.h: lib/base/tables/powers_of_ten.c
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)$(HOSTCC) -std=gnu17 -O1 -o $(BUILD)/powers_of_ten $<
	$(Q)$(BUILD)/powers_of_ten >$@.new && mv $@.new $@
$(BUILD)/lib/base/shortest.o: $(BUILD)/generated/powers_of_ten.h

# A file beside the pages becomes its bytes, and a version by which browsers know whether they have it.
$(BUILD)/generated/assets/%.h: lib/html/assets/%
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)name=$$(echo '$*' | tr 'a-z.' 'A-Z_') && { \
		printf '#define %s_VERSION "%s"\n' "$$name" "$$(sha256sum <$< | cut -c1-12)" && \
		printf '#define %s_BYTES %s\n' "$$name" "$$(od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' | tr -d '\n')"; } >$@.new && \
		mv $@.new $@
$(BUILD)/lib/html/assets.o: $(patsubst lib/html/assets/%,$(BUILD)/generated/assets/%.h,$(wildcard lib/html/assets/*))

# Objects depend on the flags they were compiled with, so that a change of flags compiles anew. Each flag is a line that
# make takes as an argument.
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

flags := CC CFLAGS LDFLAGS SANITIZE CRASH_POINTS NO_CONTRACTS VERSION
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@printf '%s\n' $(foreach flag,$(flags),'$(flag)=$($(flag))') | cmp -s - $@ || \
		printf '%s\n' $(foreach flag,$(flags),'$(flag)=$($(flag))') > $@
.PHONY: force
force:

-include $(shell find $(BUILD) -name '*.d' -not -path '$(BUILD)/*/build/*' 2>/dev/null)

# What a test uses of the harness comes before what it stands in for: so the tiny actions of tests/harness/actions.h are
# the responder's in the programs that ask for them, and in no other.
$(unit_programs): %: %.o $(BUILD)/harness.a $(BUILD)/exporter.a $(BUILD)/responder.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lm

# GROUP: groups of packages.txt. Nothing is removed and no service is left: see tests/install_packages.
GROUP ?= build run
deps: ## installs missing Debian packages: make deps GROUP="build run test lint deep bench"
	@tests/install_packages $(GROUP)

EXPORTER_ADDRESS  ?= :9877
RESPONDER_ADDRESS ?= 127.0.0.1:9878
# What `init` finds here is written once, and read from then on. RULES=rules: the runbook of DevOps MCP as it is shipped.
RULES ?= var/rules

run: ## builds, looks around once, and starts both daemons on what is here, until Ctrl-C
	@$(MAKE) --no-print-directory deps GROUP="build run"
	@$(MAKE) --no-print-directory $(parallel) build
	@[ -e $(RULES)/checks.yml ] || $(BUILD)/runbook_exporter init --dir=$(RULES) > /dev/null
	@trap 'kill "$$exporter" "$$responder" 2>/dev/null' EXIT; trap 'exit 0' INT TERM; \
	$(BUILD)/runbook_exporter --config.file=$(RULES)/checks.yml --web.listen-address=$(EXPORTER_ADDRESS) & exporter=$$!; \
	$(BUILD)/runbook_responder --config.file=$(RULES)/remediations.yml --web.listen-address=$(RESPONDER_ADDRESS) \
		--journal=var/journal.db & responder=$$!; \
	echo; \
	echo "  runbook_exporter   http://$(patsubst :%,localhost:%,$(EXPORTER_ADDRESS))/          the checks, and /metrics for Prometheus"; \
	echo "  runbook_responder  http://$(patsubst :%,localhost:%,$(RESPONDER_ADDRESS))/     the incidents; Alertmanager posts to /api/v1/alerts, with the token in var/tokens/alerts"; \
	echo "  Ctrl-C ends both. What they read: $(RULES)/checks.yml, $(RULES)/remediations.yml; the journal: var/journal.db"; \
	echo; \
	echo "  Next  1. open the first page: $(RULES)/checks.yml says of each check why it is there"; \
	echo "        2. say what is elsewhere: $(BUILD)/runbook_exporter init --diff --config.file=$(RULES)/checks.yml --look=PLACE  (docs/start.md)"; \
	echo "        3. see a whole runbook:   make run RULES=rules, or make demo, where a fault is healed while you watch"; \
	echo; \
	wait -n "$$exporter" "$$responder"; status=$$?; \
	echo "One of the daemons has ended; its last line above says why." >&2; exit $$(( status ? status : 1 ))

test: ## installs what the tests need, builds, runs all of them
	@$(MAKE) --no-print-directory deps GROUP="build run test"
	@tests/run_all

demo: ## a fault in the lab is healed while you watch; then it runs on until Ctrl-C
	@$(MAKE) --no-print-directory deps GROUP="build run test"
	@$(MAKE) --no-print-directory $(parallel) build lab-service
	@$(PYTHON) -B tests/lab/demo.py

screenshots: ## takes the pictures of docs/pictures from the lab; minutes
	@$(MAKE) --no-print-directory deps GROUP="build run test pictures"
	@$(MAKE) --no-print-directory $(parallel) build lab-service
	@$(PYTHON) -B tests/lab/pictures.py

include tests/lab/service/service.mk

unit: $(unit_programs) ## builds and runs the unit tests alone
	@tests/run_unit $(unit_programs)

# COVERAGE=integration: those of the integration tests, too. A daemon that is killed, or that Landlock keeps from writing
# here, leaves no counts.
COVERAGE ?= unit
coverage_build := BUILD=build/coverage CFLAGS="-Og -g --coverage -fprofile-update=atomic" LDFLAGS=--coverage
coverage: ## lines and branches that the unit tests reach, by room; COVERAGE=integration: the integration tests, too
	@$(MAKE) --no-print-directory deps GROUP="build run test"
	@$(MAKE) --no-print-directory $(parallel) -s $(coverage_build) build drivers
	@find build/coverage -name '*.gcda' -delete
	@$(MAKE) --no-print-directory $(parallel) -s $(coverage_build) unit RESULTS=build/results-coverage
ifeq ($(COVERAGE),integration)
	@$(MAKE) --no-print-directory -s lab-service
	@RUNBOOK_BUILD=build/coverage $(PYTHON) -m pytest -q -p no:cacheprovider tests/integration
endif
	@$(PYTHON) -B tests/coverage.py build/coverage

fuzz_programs := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: $(fuzz_programs)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/driver.o $(BUILD)/exporter.a \
		$(BUILD)/responder.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

# The same with clang's libFuzzer in the driver's place, which looks for inputs that reach what none has reached. For a build
# with CC=clang and SANITIZE=fuzzer-no-link,address,undefined: see tests/run_fuzz_search.
fuzz-search: $(patsubst $(BUILD)/tests/fuzz/fuzz_%,$(BUILD)/tests/fuzz/search_%,$(fuzz_programs))
$(BUILD)/tests/fuzz/search_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/exporter.a $(BUILD)/responder.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) -lm

# Programs that the integration tests and the benchmarks drive; the first kind is linked with everything.
drivers: $(patsubst %.c,$(BUILD)/%,$(wildcard tests/integration/*.c))
$(BUILD)/tests/integration/%: $(BUILD)/tests/integration/%.o $(BUILD)/exporter.a $(BUILD)/responder.a $(BUILD)/harness.a \
		$(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lm

# Loaded into a daemon, to let its calls fail: for the release build, as it takes malloc's place.
$(BUILD)/tests/fault/fail.so: tests/fault/fail.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=gnu17 -Wall -Wextra -O1 -g -shared -fPIC -o $@ $<

# The simulator: SEED=n runs one world again; SECONDS, else.
sim_objects := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c))
$(BUILD)/tests/sim/sim: $(sim_objects) $(BUILD)/responder.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

SIM_SECONDS ?= 60
sim_length   = $(if $(SIM_INCIDENTS),--incidents=$(SIM_INCIDENTS),--seconds=$(SIM_SECONDS))
sim: $(BUILD)/tests/sim/sim ## the responder in a world of its own: fresh seeds for SIM_SECONDS or SIM_INCIDENTS, or SEED=n again
	$(BUILD)/tests/sim/sim $(if $(SEED),--seed=$(SEED) --trace,$(sim_length) --jobs=$$(nproc))

bench_programs := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/exporter.a $(BUILD)/responder.a $(BUILD)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

bench: ## how fast and how small, as ratios to peers (BESIDE=DIR: to the build of that tree); writes build/bench.json
	@$(MAKE) --no-print-directory deps GROUP="build run test bench"
	@$(MAKE) --no-print-directory $(parallel) build lab-service $(bench_programs)
	@BESIDE="$(BESIDE)" $(PYTHON) -B tests/bench/bench.py

c_files      = $(shell git ls-files -- '*.c' '*.h')
shell_files  = $(shell git ls-files | xargs -r grep -lE '^\#!.*\b(ba)?sh\b' 2>/dev/null)
tidy_sources = $(lib_sources) $(exporter_sources) $(responder_sources)
lint: export TIDY_FLAGS = $(ALL_CFLAGS)
lint: ## the rooms' rules, clang-format, clang-tidy, cppcheck, promtool, amtool, yamllint, shellcheck
	@$(MAKE) --no-print-directory deps GROUP="build run test lint"
	@$(MAKE) --no-print-directory $(parallel) build
	tests/check_rooms tests/rooms.txt $(BUILD)
	clang-format --dry-run --Werror $(c_files)
	promtool check config rules/prometheus.yml
	promtool check rules $$(grep -l '^groups:' rules/*.yml)
	$(BUILD)/runbook_exporter families --config.file=rules/checks.yml | \
		$(BUILD)/runbook_responder coverage --families=- --alerts=rules/prometheus.yml --config.file=rules/remediations.yml
	tests/check_dashboards $(BUILD)
	sed 's|FILL IN WHO IS CALLED|https://person.example/|' rules/alertmanager.yml | amtool check-config /dev/stdin
	yamllint --strict rules tests docker
	shellcheck $(shell_files)
	tests/check_compose
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,performance,portability \
		--suppressions-list=tests/cppcheck.txt -Iinclude -I. $(tidy_sources)
	printf '%s\n' $(tidy_sources) | xargs -P "$$(nproc)" -n 8 bash -c \
		'eval "flags=($$TIDY_FLAGS)"; clang-tidy --quiet --warnings-as-errors="*" "$$@" -- "$${flags[@]}" \
			2> >(grep -v "warnings generated" >&2)' tidy

format: ## brings the C files into the house's form
	clang-format -i $(c_files)

check-deep: ## TSan and valgrind over the unit and integration tests
	@$(MAKE) --no-print-directory deps GROUP="build run test deep"
	@tests/run_deep

docs: build ## writes docs/checks.md, docs/actions.md and the states in docs/responder.md from the tables in the code
	$(BUILD)/runbook_exporter describe > docs/checks.md
	$(BUILD)/runbook_responder describe > docs/actions.md
	$(BUILD)/runbook_responder states > $(BUILD)/states.md
	sed -i -e '/^<!-- states:/r $(BUILD)/states.md' -e '/^<!-- states:/,/^<!-- end of the states/{//!d}' docs/responder.md

# Manual pages and what completes command lines, from the tables that --help comes from.
programs := runbook_exporter runbook_responder
manuals  := $(programs:%=$(BUILD)/share/%.1) $(programs:%=$(BUILD)/share/%.bash) $(programs:%=$(BUILD)/share/%.zsh)
$(BUILD)/share/%.1: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)$< man >$@.new && mv $@.new $@
$(BUILD)/share/%.bash: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)$< completion bash >$@.new && mv $@.new $@
$(BUILD)/share/%.zsh: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)$< completion zsh >$@.new && mv $@.new $@

# What goes where. A daemon's half is installed alone by packages, which have their own places for documents and units.
# Secrets of the shipped files are systemd's there, to which dynamic users have access. A file of /etc that is there
# already stays.
SYSCONFDIR ?= /etc
DOCDIR     ?= $(PREFIX)/share/doc/runbook
UNITDIR    ?= $(PREFIX)/lib/systemd/system
ZSHDIR     ?= site-functions
configuration_exporter  := checks.yml
configuration_responder := remediations.yml
installed_documents := README.md CHANGELOG.md LICENSE packages.txt
installed_docs      := $(filter-out docs/requests.md,$(wildcard docs/*.md docs/*.svg docs/*.json))
installed_rules     := $(filter-out %_test.yml,$(wildcard rules/*.yml))
install: install-exporter install-responder ## binaries, units, configuration, manual pages, completions and documents: DESTDIR, PREFIX
install-%: build $(manuals)
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/runbook_$*
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSCONFDIR)/runbook $(DESTDIR)$(SYSCONFDIR)/default
	for unit in docker/systemd/runbook-$*.*; do \
		sed -e 's|/usr/local/share/doc/runbook|$(DOCDIR)|' -e 's|/usr/local|$(PREFIX)|g' $$unit | \
			install -m 0644 /dev/stdin $(DESTDIR)$(UNITDIR)/$${unit##*/} || exit 1; done
	file=$(DESTDIR)$(SYSCONFDIR)/runbook/$(configuration_$*); test -e $$file || \
		sed -E 's#/run/secrets/([a-z_]+)#"$${credential:\1}"#' rules/$(configuration_$*) | install -m 0644 /dev/stdin $$file
	file=$(DESTDIR)$(SYSCONFDIR)/default/runbook-$*; test -e $$file || install -m 0644 docker/default/runbook-$* $$file
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $(BUILD)/share/runbook_$*.1
	install -D -m 0644 $(BUILD)/share/runbook_$*.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/runbook_$*
	install -D -m 0644 $(BUILD)/share/runbook_$*.zsh $(DESTDIR)$(PREFIX)/share/zsh/$(ZSHDIR)/_runbook_$*
	install -D -m 0644 -t $(DESTDIR)$(DOCDIR) $(installed_documents)
	install -D -m 0644 -t $(DESTDIR)$(DOCDIR)/docs $(installed_docs)
	install -D -m 0644 -t $(DESTDIR)$(DOCDIR)/docs/pictures $(wildcard docs/pictures/*)
	install -D -m 0644 -t $(DESTDIR)$(DOCDIR)/rules $(installed_rules)

# Of what `make install` writes; a file of /etc that was changed stays.
uninstall: ## removes what `make install` has put there, but what was changed in /etc: DESTDIR, PREFIX
	@rm -rf $(BUILD)/uninstall
	@$(MAKE) --no-print-directory -s install DESTDIR=$(abspath $(BUILD))/uninstall
	@cd $(BUILD)/uninstall && find . -type f | while read -r file; do \
		there=$(DESTDIR)$${file#.}; \
		case $$there in $(DESTDIR)$(SYSCONFDIR)/*) cmp -s $$file $$there || { [ ! -e $$there ] || echo "stays, as it was changed: $$there"; continue; } ;; esac; \
		rm -f $$there; done
	@cd $(BUILD)/uninstall && find . -mindepth 1 -depth -type d | while read -r directory; do \
		case $$directory in *runbook*) rmdir --ignore-fail-on-non-empty $(DESTDIR)$${directory#.} 2>/dev/null || true ;; esac; done
	@rm -rf $(BUILD)/uninstall

include docker/packages.mk

clean: ## removes build/
	rm -rf $(BUILD)

.SECONDARY:
