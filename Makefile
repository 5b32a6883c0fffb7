# SPDX-License-Identifier: Apache-2.0
# Runbook: builds the two daemons, runs them, tests them. `make help` lists what there is.

BUILD    ?= build
CC       ?= gcc
PREFIX   ?= /usr/local
DESTDIR  ?=
PYTHON   := /usr/bin/python3
VERSION  := $(shell sed -n 's/^\#\# \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

# make SANITIZE=address,undefined BUILD=build/asan; make CRASH_POINTS=1 BUILD=build/crash
SANITIZE     ?=
CRASH_POINTS ?=

LIBRARIES := libmicrohttpd libcurl hiredis libpq libcjson libfyaml sqlite3 libcrypto zlib
WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wvla -Wpointer-arith -Wwrite-strings -Wundef
CFLAGS    ?= -O2 -g
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)

# Asked only when something is compiled, so that `make deps` works on a machine that has no pkg-config yet.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(LIBRARIES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(LIBRARIES)))$(PKG_LIBS)

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(HARDENING) -pthread -Iinclude -I. -I$(BUILD) \
             -isystem $(BUILD)/generated $(PKG_CFLAGS) \
             -DRUNBOOK_VERSION='"$(VERSION)"' \
             $(if $(CRASH_POINTS),-DRUNBOOK_CRASH_POINTS) \
             $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

lib_sources       := $(wildcard lib/*.c)
exporter_sources  := $(wildcard exporter/*.c exporter/checks/*.c)
responder_sources := $(wildcard responder/*.c responder/actions/*.c)
unit_sources      := $(wildcard tests/unit/test_*.c)

objects            = $(patsubst %.c,$(BUILD)/%.o,$(1))
lib_objects       := $(call objects,$(lib_sources))
exporter_objects  := $(call objects,$(filter-out exporter/main.c,$(exporter_sources)))
responder_objects := $(call objects,$(filter-out responder/main.c,$(responder_sources)))
unit_programs     := $(patsubst %.c,$(BUILD)/%,$(unit_sources))

.PHONY: help build run test demo deps lint check-deep bench install clean unit integration format
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

build: $(BUILD)/runbook_exporter $(BUILD)/runbook_responder ## both daemons, in build/

$(BUILD)/runbook_exporter: $(BUILD)/exporter/main.o $(BUILD)/exporter.a $(BUILD)/lib.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/runbook_responder: $(BUILD)/responder/main.o $(BUILD)/responder.a $(BUILD)/lib.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/lib.a: $(lib_objects)
$(BUILD)/exporter.a: $(exporter_objects)
$(BUILD)/responder.a: $(responder_objects)
$(BUILD)/%.a:
	@rm -f $@
	ar rcs $@ $^

# Objects depend on the flags they were compiled with, so that a change of flags compiles anew.
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(SANITIZE) $(CRASH_POINTS) $(VERSION)' | cmp -s - $@ || \
		echo '$(CC) $(CFLAGS) $(SANITIZE) $(CRASH_POINTS) $(VERSION)' > $@
.PHONY: force
force:

-include $(shell find $(BUILD) -name '*.d' -not -path '$(BUILD)/*/build/*' 2>/dev/null)

unit: $(unit_programs) ## the unit tests alone
	@tests/run_unit $(unit_programs)

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/exporter.a $(BUILD)/responder.a $(BUILD)/lib.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/exporter.a $(BUILD)/responder.a $(BUILD)/lib.a $(PKG_LIBS) -lcmocka -lm

clean: ## removes build/
	rm -rf $(BUILD)
