# SPDX-License-Identifier: GPL-2.0-only
# memtrace. Everything is built under build/; V=1 shows the commands.

prefix ?= /usr/local
bindir ?= $(prefix)/sbin
mandir ?= $(prefix)/share/man
DESTDIR ?=

CC = gcc
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),/usr/sbin/bpftool)
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
INSTALL ?= install
CFLAGS ?= -O2 -g

ARCH := x86
BUILD := build
VERSION := 0.1.0
VMLINUX_H ?= vmlinux/$(ARCH)/vmlinux.h

ifeq ($(V),1)
Q =
msg =
else
Q = @
msg = @printf '  %-8s %s\n' '$(1)' '$(2)';
MAKEFLAGS += --no-print-directory
endif

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes
ifeq ($(CI),true)
WARNINGS += -Werror
endif
PROJECT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DMEMTRACE_VERSION='"$(VERSION)"' $(WARNINGS) \
	-Iinclude -Isrc
LIBS := -lbpf -lelf -lZydis -lz
# What the unit tests link: no libbpf in it, and the linker would tell.
ROOTLESS_LIBS := -lelf -lZydis -lz
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

ROOTLESS_DIRS := util model sink proc elf alloc
ROOTLESS_SRC := $(wildcard $(ROOTLESS_DIRS:%=src/%/*.c)) src/log.c src/options.c src/feature.c \
	src/collect/record.c src/collect/replay.c
COLLECT_SRC := $(filter-out $(ROOTLESS_SRC),$(wildcard src/*.c src/collect/*.c))
ROOTLESS_OBJ := $(ROOTLESS_SRC:src/%.c=$(BUILD)/obj/%.o)
COLLECT_OBJ := $(COLLECT_SRC:src/%.c=$(BUILD)/obj/%.o)
ASAN_OBJ := $(ROOTLESS_SRC:src/%.c=$(BUILD)/asan/%.o)
# maps.bpf.c first: bpftool 7.1 leaves the offsets of maps at 0 when another file declared them
# before they are defined.
BPF_SRC := bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c,$(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.bpf.o)
SKELETON := $(BUILD)/bpf/memtrace.skel.h
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
PROGRAMS := $(patsubst tests/programs/%.c,$(BUILD)/programs/%,$(wildcard tests/programs/*.c))

PACKAGES := build-essential clang llvm bpftool libbpf-dev libelf-dev libzydis-dev libzycore-dev \
	zlib1g-dev pkg-config python3 python3-numpy
TEST_PACKAGES := python3-psutil redis-server redis-tools libjemalloc-dev util-linux mandoc \
	clang-format shellcheck

all: $(BUILD)/memtrace

$(BUILD)/memtrace: $(COLLECT_OBJ) $(ROOTLESS_OBJ)
	$(call msg,LINK,$@) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call msg,CC,$@) $(CC) $(PROJECT_CFLAGS) $(CFLAGS) $(CPPFLAGS) -I$(BUILD)/bpf -MMD -MP -c -o $@ $<

$(COLLECT_OBJ): | $(SKELETON)

$(BUILD)/asan/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call msg,CC-ASAN,$@) $(CC) $(PROJECT_CFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(ASAN_OBJ) Makefile
	@mkdir -p $(@D)
	$(call msg,TEST,$@) $(CC) $(PROJECT_CFLAGS) $(CFLAGS) $(SANITIZE) -Itests/unit -MMD -MP \
		-o $@ $< $(ASAN_OBJ) $(ROOTLESS_LIBS)

$(BUILD)/programs/%: tests/programs/%.c Makefile
	@mkdir -p $(@D)
	$(call msg,CC,$@) $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -fno-builtin \
		-MMD -MP -o $@ $< -pthread -ldl

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(VMLINUX_H) Makefile
	@mkdir -p $(@D)
	$(call msg,BPF,$@) $(CLANG) -g -O2 -target bpf -D__TARGET_ARCH_$(ARCH) -Wall \
		-Wno-missing-declarations -I$(dir $(VMLINUX_H)) -Iinclude -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/bpf/memtrace.o: $(BPF_OBJ)
	$(call msg,GEN-OBJ,$@) $(BPFTOOL) gen object $@ $^

$(SKELETON): $(BUILD)/bpf/memtrace.o
	$(call msg,GEN-SKEL,$@) $(BPFTOOL) gen skeleton $< name memtrace_bpf > $@

programs: $(PROGRAMS)
unit: $(UNIT_TESTS)

check: deps
	$(Q)$(MAKE) all unit programs
	$(Q)tests/check.sh unit lint run

check-unit: unit
	$(Q)tests/check.sh unit lint

check-run: all programs
	$(Q)tests/check.sh run

demo: deps
	$(Q)$(MAKE) all
	$(Q)tests/run/demo.sh $(BUILD)/memtrace

bench: all programs
	$(Q)tests/bench/bench.sh

deps:
	$(Q)tests/deps.sh $(PACKAGES) $(TEST_PACKAGES)

vmlinux:
	$(Q)vmlinux/update.sh $(ARCH)

install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man8
	$(INSTALL) -m 755 $(BUILD)/memtrace $(DESTDIR)$(bindir)/memtrace
	$(INSTALL) -m 644 src/man/memtrace.8 $(DESTDIR)$(mandir)/man8/memtrace.8

uninstall:
	rm -f $(DESTDIR)$(bindir)/memtrace $(DESTDIR)$(mandir)/man8/memtrace.8

format:
	clang-format -i $(shell git ls-files '*.c' '*.h' | grep -v '^vmlinux/')

lint:
	$(Q)tests/check.sh lint

clean:
	rm -rf $(BUILD)

help:
	@echo 'all demo check check-unit check-run bench deps vmlinux install uninstall format lint clean'

.PHONY: all programs unit check check-unit check-run demo bench deps vmlinux install uninstall \
	format lint clean help
.DELETE_ON_ERROR:
.SECONDARY:

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
