# SPDX-License-Identifier: MIT
#
# Candor, Frank and their tests. `make help` lists the commands.
#
# Sources are found by folder: a new file needs no edit here. Each build.mk describes one part; it may
# use what stands above the includes below. A part whose folder is empty is left out.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.DEFAULT_GOAL := all

BUILD  := build
CROSS  := riscv64-unknown-elf-
QEMU   ?= qemu-system-riscv64
NEWLIB ?= $(BUILD)/newlib
V      ?= 0
export QEMU QEMUEXTRA

CC      := $(CROSS)gcc
AR      := $(CROSS)ar
OBJCOPY := $(CROSS)objcopy
OBJDUMP := $(CROSS)objdump
HOSTCC  := gcc
PYTHON  := /usr/bin/python3
TOP     := $(abspath .)

# What every compilation shares. C is gnu17 in the kernels and on the host alike.
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wshadow -Wpointer-arith -Wundef -Wvla -Wwrite-strings
C_COMMON := -std=gnu17 -O2 -g $(WARNINGS) -fno-common

# Both supervisors of the machine: no floating point, no library.
KERNEL_FLAGS := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -ffreestanding \
                -fno-builtin-printf -fno-stack-protector -fno-pic -fno-asynchronous-unwind-tables \
                -fno-strict-aliasing -fno-delete-null-pointer-checks -msmall-data-limit=0
KERNEL_LINK  := -nostdlib -static -Wl,--build-id=none -Wl,--fatal-warnings \
                -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096

# ---- output -------------------------------------------------------------------------------------

ifeq ($(V),1)
Q   :=
say :=
else
Q   := @
ifneq ($(MAKE_TERMOUT),)
say  = @printf '  \033[36m%-8s\033[0m %s\n' '$(1)' '$(2)'
else
say  = @printf '  %-8s %s\n' '$(1)' '$(2)'
endif
endif

# quoted TEXT: TEXT as one word for the shell
quoted = '$(subst ','\'',$(1))'

# ---- machine set-up -----------------------------------------------------------------------------

# tools/setup installs what is missing and says so. The goals decide which groups of packages are wanted,
# so that the question is asked once; a stamp is kept for each choice.
setup_group = $(if $(filter $(2),$(MAKECMDGOALS)),-$(1))
SETUP := $(BUILD)/setup/build$(call setup_group,test,test test-build core soak seeded coverage check headers-check)$(call \
             setup_group,check,check format format-check headers-check tidy)$(call setup_group,debug,debug gdb)$(call \
             setup_group,coverage,coverage)
$(BUILD)/setup/%: tools/setup
	@tools/setup $(subst -, ,$*)
	@mkdir -p $(@D) && touch $@

NEWLIB_STAMP := $(NEWLIB)/riscv64-unknown-elf/lib/libc.a
ifeq ($(NEWLIB),$(BUILD)/newlib)
$(NEWLIB_STAMP): tools/newlib | $(SETUP)
	@tools/newlib $(NEWLIB)
	@touch $@
else
$(NEWLIB_STAMP):
	@echo "error: NEWLIB=$(NEWLIB) holds no newlib ($@ is missing);" \
	      "give the folder that 'make' left as build/newlib, or leave NEWLIB out to build one" >&2; false
endif

# ---- building blocks ----------------------------------------------------------------------------

# find_sources FOLDERS: the C and assembly files below them.
find_sources = $(if $(wildcard $(1)),$(sort $(shell find $(wildcard $(1)) -name '*.[cS]' ! -name '*.lds.S')))
# objects_of OUTPUT-FOLDER, SOURCES
objects_of = $(patsubst %,$(1)/%.o,$(basename $(2)))
# linker_script NAME-WITHOUT-SUFFIX: the script to link with: NAME.lds, or made from NAME.lds.S
linker_script = $(if $(wildcard $(1).lds.S),$(BUILD)/$(1).lds,$(wildcard $(1).lds))

# A flags file holds the flags that its objects were made with; it is rewritten only when they change.
# Objects depend on it, so a changed flag rebuilds what it concerns and nothing else.
flags_file = $(BUILD)/flags/$(1)
$(BUILD)/flags/%: FORCE
	@mkdir -p $(@D); printf '%s\n' $(call quoted,$(FLAGS_$*)) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

# Each compilation leaves a fragment beside its object, from which compile_commands.json is made.
comma := ,
fragment = {"directory": "$(TOP)"$(comma) "file": "$<"$(comma) "output": "$@"$(comma) "command": "$(subst ",\",$(subst \,\\,$(1)))"}

# compile_rules OUTPUT-FOLDER, FLAGS-NAME, COMPILER, ORDER-ONLY-PREREQUISITES
# makes OUTPUT-FOLDER/x/y.o from x/y.c and x/y.S with $(FLAGS_<FLAGS-NAME>).
define compile_rules
$(1)/%.o: %.c $(call flags_file,$(2)) | $(4) $(SETUP)
	$$(call say,CC,$$<)
	@mkdir -p $$(@D); printf '%s\n' $$(call quoted,$$(call fragment,$(3) $$(FLAGS_$(2)) -c -o $$@ $$<)) > $$@.json
	$$(Q)$(3) $$(FLAGS_$(2)) -MMD -MP -c -o $$@ $$<
$(1)/%.o: %.S $(call flags_file,$(2)) | $(4) $(SETUP)
	$$(call say,AS,$$<)
	@mkdir -p $$(@D)
	$$(Q)$(3) $$(filter-out -std=%,$$(FLAGS_$(2))) -D__ASSEMBLER__ -MMD -MP -c -o $$@ $$<
endef

# offsets_rule HEADER, SOURCE, FLAGS-NAME: compiles SOURCE to assembly and takes the lines `->NAME value`
# that its DEFINE()s leave there (shared/include/asm_offset.h) into HEADER.
define offsets_rule
$(1): $(2) $(call flags_file,$(3)) | $(SETUP)
	$$(call say,OFFSETS,$$@)
	@mkdir -p $$(@D); printf '%s\n' $$(call quoted,$$(call fragment,$(CC) $$(FLAGS_$(3)) -c -o $$@ $$<)) > $$@.json
	$$(Q)$(CC) $$(FLAGS_$(3)) -MMD -MP -MT $$@ -MF $$@.d -S -o $$@.s $$<
	@{ echo '/* Generated from $(2): do not edit. */'; \
	   sed -n 's/.*->\([A-Za-z_][A-Za-z0-9_]*\) *[$$$$#]*\(-*[0-9][0-9]*\).*/#define \1 \2/p' $$@.s; } > $$@.new
	@if cmp -s $$@.new $$@; then rm $$@.new; touch $$@; else mv $$@.new $$@; fi
endef

# link_rule OUTPUT, LINKER-SCRIPT, OBJECTS, FLAGS: links an image; relinks when the list changes.
define link_rule
FLAGS_link-$(subst /,-,$(1)) := $(4) $(3)
$(1): $(3) $(2) $(call flags_file,link-$(subst /,-,$(1)))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(4) -T $(2) -Wl,-Map=$$@.map -o $$@ $(3) -lgcc
endef

$(BUILD)/%.lds: %.lds.S | $(SETUP)
	$(call say,CPP,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -D__ASSEMBLER__ -Ishared/include -Ihypervisor -Iguestos/include \
	    -MMD -MP -MT $@ -MF $@.d -o $@ $<

.PHONY: all run qemu native
all:

# ---- parts --------------------------------------------------------------------------------------

include hypercall-abi/build.mk
include hypervisor/build.mk
include guestos/build.mk
include bench/build.mk
include tests/build.mk

# ---- commands -----------------------------------------------------------------------------------

all: $(IMAGES) compile_commands.json ## build everything: Candor, Frank (both builds), the user programs

# Each machine that these commands boot has a disk of its own, which stays: build/disks/NAME.img. `make clean` keeps them.
DISKS := $(BUILD)/disks
$(DISKS)/%.img: | $(BUILD)/disk.img
	@mkdir -p $(@D) && cp --sparse=always $(BUILD)/disk.img $@
.PRECIOUS: $(DISKS)/%.img
tell_of_old = @for disk in $(1); do [ ! $(BUILD)/disk.img -nt $$disk ] || \
    echo "note: the programs on $$disk are older than those built; make new-disks gives new ones, without the files that were made there"; done
.PHONY: new-disks
new-disks: ## give the machines of run, run-shadow and native new disks, with the programs as they are built; what was on them is lost
	@rm -rf $(DISKS)

# ARGS: words for Frank's kernel and init, in each VM. A comma inside a value is doubled for the launcher.
frank_options = image=$(BUILD)/frank-pv.elf,name=$(1),disk=$(DISKS)/$(1).img,args=root=vda$(if \
                  $(ARGS), $(subst $(comma),$(comma)$(comma),$(ARGS)))
frank_vm = --vm $(call quoted,$(frank_options))
VMS ?= $(call frank_vm,vm1) $(call frank_vm,vm2)

# TRACE: where the trace of a run goes, for ui.perfetto.dev; TRACE=0 runs without.
TRACE_FILE := $(if $(filter-out 0 1,$(TRACE)),$(TRACE),$(BUILD)/trace.perfetto-trace)

RUN_DISKS := $(DISKS)/vm1.img $(DISKS)/vm2.img
run: all $(RUN_DISKS) ## boot Candor with two Frank VMs (ARGS="words for both"; OPTIONS="of tools/candor run"; TRACE=file for Perfetto, TRACE=0: none)
	$(call tell_of_old,$(RUN_DISKS))
	@tools/candor run $(OPTIONS) $(VMS)$(if $(filter 0,$(TRACE)),, --trace $(TRACE_FILE))
qemu: run ## the same as run

# DISK: a file that is its disk, and is written to; it boots from memory then.
unmodified_options = image=$(BUILD)/frank-native.elf,name=unmodified,virt=shadow,depriv=$(or $(DEPRIV),s)$(comma)$(if \
                     $(DISK),initrd=$(BUILD)/initrd.img$(comma)disk=$(DISK),disk=$(DISKS)/unmodified.img$(comma)args=root=vda)
SHADOW_DISKS := $(if $(DISK),,$(DISKS)/unmodified.img) $(DISKS)/pv.img
run-shadow: all $(SHADOW_DISKS) ## boot Candor with an unmodified Frank beside a paravirtual one (DEPRIV=u: its kernel in user mode; DISK=file; OPTIONS=...)
	$(call tell_of_old,$(SHADOW_DISKS))
	@tools/candor run $(OPTIONS) --vm $(call quoted,$(unmodified_options)) $(call frank_vm,pv)

native: all $(DISKS)/native.img ## boot Frank on the bare machine (QEMU and OpenSBI; HARTS=4: on as many harts, up to eight)
	$(call tell_of_old,$(DISKS)/native.img)
	@tools/candor native $(if $(HARTS),--smp $(HARTS)) --image $(BUILD)/frank-native.elf --disk $(DISKS)/native.img \
	    --args $(call quoted,root=vda$(if $(ARGS), $(ARGS)))

.PHONY: trace-syscall trace-fault trace-switch
trace-syscall: all ## one bounced system call, from a trace: process, operating system, hypervisor; the direct one beside it (DEPRIV=u, DEPRIV=s: of an unmodified kernel)
	@tools/trace-view syscall $(DEPRIV)
trace-fault: all ## one page fault under an unmodified kernel, from a trace: the guest's entry, the machine's frame, the shadow's entry (DEPRIV=u)
	@tools/trace-view fault $(or $(DEPRIV),s)
trace-switch: all ## one machine switch, from a trace: what is stored and loaded
	@tools/trace-view switch

.PHONY: debug qemu-gdb gdb size
debug: all $(RUN_DISKS) ## boot under gdb, both in one terminal
	@tools/debug run $(VMS)
qemu-gdb: all $(RUN_DISKS) ## boot and wait for gdb (the first half of debug)
	@tools/candor run $(VMS) --gdb
gdb: all ## gdb on the machine that waits (the second half)
	@gdb-multiarch -q -nx -x .gdbinit

size: $(HV_CORE_OBJECTS) ## print code lines by folder, and the core's with its limits
	@tools/size $(HV_CORE_OBJECTS:.o=.d)

compile_commands.json: $(ALL_OBJECTS)
	$(call say,JSON,$@)
	@{ echo '['; cat $(wildcard $(addsuffix .json,$(ALL_OBJECTS) $(ALL_TEST_OBJECTS))) | sed '$$!s/$$/,/'; echo ']'; } > $@.new
	@mv $@.new $@

.PHONY: clean distclean help
clean: ## remove what was built, but keep newlib, fetched sources and the disks of run
	@rm -rf $(filter-out $(BUILD)/newlib $(BUILD)/newlib.log $(BUILD)/setup $(BUILD)/foreign $(DISKS),$(wildcard $(BUILD)/*)) compile_commands.json

distclean: ## remove everything that was made or fetched
	@rm -rf $(BUILD) compile_commands.json

help: ## show this list
	@echo 'usage: make [target] [V=1] [QEMU=path] [QEMUEXTRA="options"] [NEWLIB=path] [FOREIGN="lua dash"]'
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1:\2/p' $(MAKEFILE_LIST) | \
	    awk -F: '{ line = $$0; sub(/^[^:]*:/, "", line); printf "  %-12s %s\n", $$1, line }'

-include $(patsubst %.o,%.d,$(ALL_OBJECTS) $(ALL_TEST_OBJECTS)) $(wildcard $(BUILD)/*/*.h.d $(BUILD)/*/*/*.lds.d $(BUILD)/*/*/*/*.lds.d)
