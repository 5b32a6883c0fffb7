# SPDX-License-Identifier: Apache-2.0
# The stand-in service of the lab: static, so that an image FROM scratch can hold it. Included by the Makefile;
# it has flags of its own, because a sanitizer cannot be linked statically.

.PHONY: lab-service
lab-service: $(BUILD)/tests/lab/service/service

$(BUILD)/tests/lab/service/service: $(wildcard tests/lab/service/*.c) tests/lab/service/service.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O2 -static -pthread -o $@ $(filter %.c,$^) -lresolv
