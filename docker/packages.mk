# SPDX-License-Identifier: Apache-2.0
# What is handed to others: packages, a tarball, a list of what is in them. All of them are the same to the bit whenever
# and wherever they are built, from the same sources by the same tools.

# A tree of packages of Debian, as debhelper wants it; $(BUILD)/deb has the packages in the end.
deb_tree := $(BUILD)/deb/tree
deb: build $(manuals) ## packages for Debian and Ubuntu, runbook-exporter and runbook-responder, in build/deb
	@$(MAKE) --no-print-directory deps GROUP="build package"
	@$(MAKE) --no-print-directory -s sbom
	@rm -rf $(BUILD)/deb && mkdir -p $(deb_tree)
	@cp -r docker/debian $(deb_tree)/debian && chmod 0755 $(deb_tree)/debian/rules
	@printf 'runbook (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- %s  %s\n' '$(VERSION)' \
		"$$(sed -n 's/^Maintainer: //p' docker/debian/control)" "$$(date -uRd @$(SOURCE_DATE_EPOCH))" >$(deb_tree)/debian/changelog
	@cd $(deb_tree) && SOURCE=$(CURDIR) BUILD=$(BUILD) DEB_BUILD_OPTIONS=noautodbgsym LC_ALL=C.UTF-8 TZ=UTC debian/rules binary $(if $(V),,>../log 2>&1) || \
		{ [ ! -e ../log ] || cat ../log >&2; exit 1; }
	@rm -rf $(deb_tree)
	@printf '  %s\n' $(BUILD)/deb/*.deb

# What each program is linked with and was built with, as SPDX has it.
sboms := $(programs:%=$(BUILD)/share/%.spdx.json)
sbom: $(sboms) ## what each program consists of, as SPDX 2.3: build/share/*.spdx.json
$(BUILD)/share/%.spdx.json: $(BUILD)/% docker/sbom
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)docker/sbom $< $(VERSION) $(LIBRARIES) >$@.new && mv $@.new $@

# Both daemons with every library that they load and the loader, so that they run on any Linux of this processor. They are
# linked anew: their loader and their libraries stand in one place, wherever the machine has its own.
PORTABLE      := /opt/runbook
portable_tree := $(BUILD)/portable/tree
portable_name := runbook-$(VERSION)-linux-$(shell uname -m)
portable_link  = -Wl,--dynamic-linker=$(PORTABLE)/lib/$(notdir $(1)) -Wl,-rpath,$(PORTABLE)/lib -Wl,--disable-new-dtags -Wl,-z,nodefaultlib
loader_of      = $(shell ldd $(1) 2>/dev/null | sed -n 's|^[[:space:]]*\(/[^ ]*/ld-linux[^ ]*\) .*|\1|p')
$(BUILD)/portable/runbook_%: $(BUILD)/runbook_% $(BUILD)/%/main.o $(BUILD)/%.a $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) $(call portable_link,$(call loader_of,$<)) -Wl,--strip-debug -o $@ $(filter-out $<,$^) $(PKG_LIBS) -lm

portable: $(BUILD)/portable/runbook_exporter $(BUILD)/portable/runbook_responder $(manuals) ## both daemons with their libraries, for any Linux: build/portable/runbook-VERSION-linux-….tar.gz
	@rm -rf $(portable_tree)
	@$(MAKE) --no-print-directory -s install DESTDIR=$(abspath $(portable_tree)) PREFIX=$(PORTABLE) SYSCONFDIR=$(PORTABLE)/etc
	@install -m 0755 -t $(portable_tree)$(PORTABLE)/bin $(BUILD)/portable/runbook_exporter $(BUILD)/portable/runbook_responder
	@docker/portable $(portable_tree)$(PORTABLE) $(BUILD)/runbook_exporter $(BUILD)/runbook_responder
	@tar -C $(portable_tree) --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w --mtime=@$(SOURCE_DATE_EPOCH) --format=gnu \
		-c opt | gzip -n9 >$(BUILD)/portable/$(portable_name).tar.gz
	@printf '  %s: %s\n' $(BUILD)/portable/$(portable_name).tar.gz "$$(du -h $(BUILD)/portable/$(portable_name).tar.gz | cut -f1)"

# An image for each daemon, by the Engine that DOCKER speaks to.
DOCKER ?= docker
images: build $(BUILD)/portable/runbook_exporter $(BUILD)/portable/runbook_responder ## an image of each daemon: runbook-exporter and runbook-responder
	@docker/image $(BUILD) $(BUILD)/image
	@for daemon in exporter responder; do \
		$(DOCKER) build -q -f docker/Dockerfile --target $$daemon -t runbook-$$daemon:$(VERSION) -t runbook-$$daemon:latest \
			--build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null)" $(BUILD)/image || exit 1; \
		printf '  runbook-%s:%s %s\n' $$daemon $(VERSION) "$$($(DOCKER) image inspect -f '{{.Size}}' runbook-$$daemon:latest | numfmt --to=iec)"; done

# And the stand-in of docker/compose.demo.yml.
demo-images: images lab-service ## the images of docker/demo: those two, and the service that is broken there
	@printf 'FROM scratch\nCOPY service /service\nENTRYPOINT ["/service"]\n' | \
		$(DOCKER) build -q -f - -t runbook-demo-service $(BUILD)/tests/lab/service

# Of the commit, not of what lies about.
dist: ## the sources of this commit as build/dist/runbook-VERSION.tar.gz
	@mkdir -p $(BUILD)/dist
	@git -c tar.umask=0022 archive --format=tar --prefix=runbook-$(VERSION)/ HEAD | gzip -n9 >$(BUILD)/dist/runbook-$(VERSION).tar.gz
	@printf '  %s\n' $(BUILD)/dist/runbook-$(VERSION).tar.gz

test-install: ## packages, images and the portable tree: lintian, two builds to the bit, a machine that systemd boots, one that has nothing, bare Debian 12 and 13; minutes, as root
	@$(MAKE) --no-print-directory deps GROUP="build run test package install"
	@$(MAKE) --no-print-directory $(parallel) build
	@$(MAKE) --no-print-directory deb
	@$(MAKE) --no-print-directory $(parallel) portable
	@$(PYTHON) -B -m pytest -q -p no:cacheprovider tests/install
.PHONY: deb sbom portable images demo-images dist test-install
