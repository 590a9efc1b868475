# SPDX-License-Identifier: MIT
#
# Host unit tests, test guests, system tests, and the checks of the sources.

# ---- host tests ---------------------------------------------------------------------------------
# The hypervisor's core, with arch/host in the processor's place, as Linux programs under sanitizers.
# Each tests/host/NAME.c is a program (cmocka); tests/host/lib/*.c is at hand for all. What the programs
# share is an archive, so that each links only what it uses and may supply a part of its own.

# Sources of the real port that are pure code, and so are tested as they are.
HOST_PURE    := $(wildcard hypervisor/arch/riscv64/sv39*.c) hypervisor/debug/trace.c $(addprefix hypervisor/driver/,disk.c plic.c)
HOST_SOURCES := $(call find_sources,$(addprefix hypervisor/,core mem virt vdev arch/host)) $(HOST_PURE) \
                $(filter-out shared/string.c,$(wildcard shared/*.c)) $(call find_sources,tests/host/lib tests/host/model)
ifneq ($(wildcard hypervisor/arch/host),)
HOST_SOURCES += $(wildcard hypercall-abi/generated/*.c)
endif

# Frank's file system, which is pure code too; tests/host/frank stands in for its processor.
HOST_FRANK   := $(addprefix guestos/kernel/fs/,inode.c path.c file.c) \
                $(addprefix guestos/kernel/,block/block.c block/buffer.c block/ram_disk.c $(addprefix diskfs/,journal.c allocate.c map.c inode.c file.c entries.c \
                  directory.c mount.c))
HOST_SOURCES += $(wildcard $(HOST_FRANK))

# Frank's programs for disks, but for their main().
HOST_DISK    := $(filter-out %/main.c,$(call find_sources,$(addprefix guestos/user/,volume mkfs fsck)))
HOST_SOURCES := $(sort $(HOST_SOURCES) $(HOST_DISK)) guestos/user/edit/buffer.c

HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HOST_INCLUDES := $(addprefix -iquote ,tests/host/fakes hypervisor hypervisor/arch/host hypervisor/arch/riscv64 shared/include \
                   hypercall-abi/generated tests/host/lib tests/host/frank guestos guestos/include \
                   guestos/platform guestos/user)
FLAGS_host    := $(subst -O2,-O1,$(C_COMMON)) $(HOST_SANITIZE) -fno-builtin -DCONFIG_DEBUG=1 $(HOST_INCLUDES)

$(eval $(call compile_rules,$(BUILD)/host,host,$(HOSTCC)))
HOST_OBJECTS  := $(call objects_of,$(BUILD)/host,$(HOST_SOURCES))
HOST_TESTS    := $(notdir $(basename $(wildcard tests/host/*.c)))
HOST_PROGRAMS := $(addprefix $(BUILD)/tests/host/,$(HOST_TESTS))

FLAGS_host-archive := $(HOST_OBJECTS)
$(BUILD)/host/libcandor.a: $(HOST_OBJECTS) $(call flags_file,host-archive)
	$(call say,AR,$@)
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcs $@ $(HOST_OBJECTS)

# What test_failures makes fail.
HOST_WRAP_test_failures := $(addprefix -Wl$(comma)--wrap=,frame_run_alloc frame_run_take frame_chunk_alloc \
                             frame_table_alloc space_id_alloc console_port_open)
HOST_WRAP_test_fsck_disk := -Wl,--wrap=io_write_block

$(HOST_PROGRAMS): $(BUILD)/tests/host/%: $(BUILD)/host/tests/host/%.o $(BUILD)/host/libcandor.a | $(SETUP)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_SANITIZE) $(HOST_WRAP_$*) -o $@ $^ -lcmocka

ifneq ($(HOST_TESTS),)
ALL_TEST_OBJECTS += $(HOST_OBJECTS) $(patsubst %,$(BUILD)/host/tests/host/%.o,$(HOST_TESTS))
endif

# ---- fuzzing ------------------------------------------------------------------------------------
# Each tests/fuzz/fuzz_NAME.c is a libFuzzer program. The same core again, by clang; what libFuzzer is to find its way
# through is told apart: of parsers also what they compare, of the core where it has been, of what checks it nothing.

FUZZCC          := clang-14
FUZZ_TARGETS    := $(notdir $(basename $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_PROGRAMS   := $(addprefix $(BUILD)/tests/fuzz/,$(FUZZ_TARGETS))
FUZZ_PLAIN      := $(call find_sources,hypervisor/arch/host tests/host/lib tests/host/model tests/fuzz/lib) $(HOST_PURE)
FUZZ_PARSERS    := $(filter-out shared/string.c,$(wildcard shared/*.c)) $(HOST_DISK)
FUZZ_CORE       := $(call find_sources,$(addprefix hypervisor/,core mem virt vdev)) $(wildcard hypercall-abi/generated/*.c)
FUZZ_SANITIZE   := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_fuzz-plain  := $(C_COMMON) $(FUZZ_SANITIZE) -fno-builtin -DCONFIG_DEBUG=1 $(HOST_INCLUDES) \
                     -iquote tests/host -iquote tests/fuzz/lib
FLAGS_fuzz-core   := $(FLAGS_fuzz-plain) -fsanitize-coverage=inline-8bit-counters,pc-table $(FUZZ_COVERAGE)
FLAGS_fuzz-parser := $(FLAGS_fuzz-plain) -fsanitize=fuzzer-no-link
$(foreach kind,plain core parser,$(eval $(call compile_rules,$(BUILD)/fuzz/$(kind),fuzz-$(kind),$(FUZZCC))))
FUZZ_OBJECTS    := $(call objects_of,$(BUILD)/fuzz/plain,$(FUZZ_PLAIN)) $(call objects_of,$(BUILD)/fuzz/core,$(FUZZ_CORE)) \
                   $(call objects_of,$(BUILD)/fuzz/parser,$(FUZZ_PARSERS))

FLAGS_fuzz-archive := $(FUZZ_OBJECTS)
$(BUILD)/fuzz/libcandor.a: $(FUZZ_OBJECTS) $(call flags_file,fuzz-archive)
	$(call say,AR,$@)
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcs $@ $(FUZZ_OBJECTS)

$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/%: $(BUILD)/fuzz/parser/tests/fuzz/%.o $(BUILD)/fuzz/libcandor.a | $(SETUP)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZCC) -fsanitize=fuzzer,address,undefined $(FUZZ_COVERAGE) -o $@ $^ -lcmocka

FUZZ_ALL_OBJECTS := $(FUZZ_OBJECTS) $(patsubst %,$(BUILD)/fuzz/parser/tests/fuzz/%.o,$(FUZZ_TARGETS))
-include $(FUZZ_ALL_OBJECTS:.o=.d)

# ---- coverage -----------------------------------------------------------------------------------
# The unit tests and the fuzzer of calls once more, counting what they execute (tools/coverage).

COVER_SOURCES  := $(HOST_SOURCES) $(call find_sources,tests/host/model tests/fuzz/lib)
COVER_PROGRAMS := $(addprefix $(BUILD)/coverage/,$(addprefix tests/host/,$(HOST_TESTS)) tests/fuzz/fuzz_calls)
COVER_LINK     := -fprofile-instr-generate -fcoverage-mapping
FLAGS_coverage := $(subst -O2,-O1,$(C_COMMON)) -w $(COVER_LINK) -fno-builtin -DCONFIG_DEBUG=1 $(HOST_INCLUDES) \
                  -iquote tests/host -iquote tests/fuzz/lib
FLAGS_coverage-fuzz := $(FLAGS_coverage) -fsanitize=fuzzer-no-link
$(eval $(call compile_rules,$(BUILD)/coverage/plain,coverage,$(FUZZCC)))
$(eval $(call compile_rules,$(BUILD)/coverage/fuzz,coverage-fuzz,$(FUZZCC)))
COVER_OBJECTS  := $(call objects_of,$(BUILD)/coverage/plain,$(COVER_SOURCES))

$(BUILD)/coverage/libcandor.a: $(COVER_OBJECTS)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $(COVER_OBJECTS)
$(BUILD)/coverage/tests/host/%: $(BUILD)/coverage/plain/tests/host/%.o $(BUILD)/coverage/libcandor.a | $(SETUP)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZCC) $(COVER_LINK) $(HOST_WRAP_$*) -o $@ $^ -lcmocka
$(BUILD)/coverage/tests/fuzz/%: $(BUILD)/coverage/fuzz/tests/fuzz/%.o $(BUILD)/coverage/libcandor.a | $(SETUP)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZCC) $(COVER_LINK) -fsanitize=fuzzer -o $@ $^

-include $(COVER_OBJECTS:.o=.d) $(patsubst %,$(BUILD)/coverage/plain/tests/host/%.d,$(HOST_TESTS))

# ---- test guests --------------------------------------------------------------------------------
# Each tests/guest/NAME.c is a paravirtual guest of its own: build/tests/guest/NAME.elf.

GUEST_SCRIPT  := $(call linker_script,tests/guest/lib/guest)
GUEST_SHARED  := $(call objects_of,$(BUILD)/guest,$(wildcard shared/*.c) $(call find_sources,tests/guest/lib))
GUEST_TESTS   := $(notdir $(basename $(wildcard tests/guest/*.c)))
FLAGS_guest   := $(C_COMMON) $(KERNEL_FLAGS) -Itests/guest/lib -Ishared/include $(ABI_INCLUDES)
$(eval $(call compile_rules,$(BUILD)/guest,guest,$(CC)))
ifneq ($(GUEST_SCRIPT),)
$(foreach t,$(GUEST_TESTS),$(eval $(call link_rule,$(BUILD)/tests/guest/$(t).elf,$(GUEST_SCRIPT),\
    $(BUILD)/guest/tests/guest/$(t).o $(GUEST_SHARED),$(KERNEL_FLAGS) $(KERNEL_LINK))))
GUEST_IMAGES  := $(patsubst %,$(BUILD)/tests/guest/%.elf,$(GUEST_TESTS))
ALL_TEST_OBJECTS += $(GUEST_SHARED) $(patsubst %,$(BUILD)/guest/tests/guest/%.o,$(GUEST_TESTS))
endif

# ---- the differential guest -----------------------------------------------------------------------
# One image for the bare machine and for virtual machines that know nothing: random privileged programs.

DIFFERENTIAL         := $(BUILD)/tests/differential.elf
DIFFERENTIAL_OFFSETS := $(BUILD)/differential/offsets/differential-offsets.h
DIFFERENTIAL_OBJECTS := $(call objects_of,$(BUILD)/differential,$(addprefix shared/,fdt.c printf.c string.c) \
                          $(filter-out %/asm-offsets.c,$(call find_sources,tests/differential/guest)))
FLAGS_differential   := $(C_COMMON) $(KERNEL_FLAGS) -Itests/differential/guest -Ishared/include -Iguestos/arch/riscv64 \
                          -I$(dir $(DIFFERENTIAL_OFFSETS))
$(eval $(call compile_rules,$(BUILD)/differential,differential,$(CC),$(DIFFERENTIAL_OFFSETS)))
$(eval $(call offsets_rule,$(DIFFERENTIAL_OFFSETS),tests/differential/guest/asm-offsets.c,differential))
$(eval $(call link_rule,$(DIFFERENTIAL),tests/differential/guest/program.lds,$(DIFFERENTIAL_OBJECTS),$(KERNEL_FLAGS) \
    $(KERNEL_LINK)))
DIFFERENTIAL_FIRMWARE := $(BUILD)/tests/differential-firmware.elf
$(eval $(call link_rule,$(DIFFERENTIAL_FIRMWARE),tests/differential/firmware/firmware.lds,\
    $(BUILD)/differential/tests/differential/firmware/firmware.o,$(KERNEL_FLAGS) $(KERNEL_LINK)))
ALL_TEST_OBJECTS += $(DIFFERENTIAL_OBJECTS)

# Each tests/guest/bare/NAME.c is an unmodified one, which boots on QEMU and OpenSBI too: build/tests/guest/bare/NAME.elf.
BARE_SCRIPT   := $(call linker_script,tests/guest/bare/lib/bare)
BARE_SHARED   := $(call objects_of,$(BUILD)/bare,$(wildcard shared/*.c) $(call find_sources,tests/guest/bare/lib))
BARE_TESTS    := $(notdir $(basename $(wildcard tests/guest/bare/*.c)))
FLAGS_bare    := $(C_COMMON) $(KERNEL_FLAGS) -Itests/guest/bare/lib -Ishared/include
$(eval $(call compile_rules,$(BUILD)/bare,bare,$(CC)))
$(foreach t,$(BARE_TESTS),$(eval $(call link_rule,$(BUILD)/tests/guest/bare/$(t).elf,$(BARE_SCRIPT),\
    $(BUILD)/bare/tests/guest/bare/$(t).o $(BARE_SHARED),$(KERNEL_FLAGS) $(KERNEL_LINK))))
GUEST_IMAGES  += $(patsubst %,$(BUILD)/tests/guest/bare/%.elf,$(BARE_TESTS))
ALL_TEST_OBJECTS += $(BARE_SHARED) $(patsubst %,$(BUILD)/bare/tests/guest/bare/%.o,$(BARE_TESTS))

# ---- commands -----------------------------------------------------------------------------------

.PHONY: test test-build stay neighbours core check format format-check tidy headers-check
test-build: all $(HOST_PROGRAMS) $(FUZZ_PROGRAMS) $(GUEST_IMAGES) $(DIFFERENTIAL) $(DIFFERENTIAL_FIRMWARE) \
            $(if $(HV_SCRIPT),$(BUILD)/debug/candor.elf) $(FRANK_DEBUG_IMAGE) $(if $(filter lua,$(FOREIGN)),$(BUILD)/tools/lua)

test: test-build | $(SETUP) ## run all tests, or some: SUITES="host native" (tests/run --list)
	@tests/run $(SUITES)

.PHONY: seeded coverage
seeded: test-build | $(SETUP) ## seed bugs into a copy of the sources, each of which its test must catch (BUGS="names" some)
	@tests/seeded/run $(BUGS)

coverage: $(COVER_PROGRAMS) | $(SETUP) ## what the unit tests and a short fuzz execute of core/ mem/ virt/; fails for lines without a reason
	@tools/coverage

PARTS ?= fuzz races differential disk attacks
CALLS ?= 100000000
TIMES ?= 50
STOPS ?= 500
DAMAGE_SECONDS ?= 600
PROGRAMS ?= 100000
JOBS  ?= 1
.PHONY: soak
soak: test-build | $(SETUP) ## fuzz, race, compare and attack at length, recorded in docs/soak.md (PARTS="fuzz races differential disk attacks vcpus" CALLS= TIMES= PROGRAMS= STOPS= DAMAGE_SECONDS= JOBS=)
	@tests/soak/run --calls $(CALLS) --times $(TIMES) --programs $(PROGRAMS) --stops $(STOPS) --seconds $(DAMAGE_SECONDS) --jobs $(JOBS) $(PARTS)

stay: test-build | $(SETUP) ## measure the longest stay in the hypervisor for each kind of entry, of all kinds of guests, and of the monitor with 64 VMs
	@ALL_STAYS=1 /usr/bin/python3 -m pytest -q --no-header -s -p no:cacheprovider -c tests/system/pytest.ini tests/system/test_stay.py

neighbours: test-build | $(SETUP) ## measure what floods of one VM cost a neighbour, beyond its fair share of a hart
	@ALL_FLOODS=1 /usr/bin/python3 -m pytest -q --no-header -s -p no:cacheprovider -c tests/system/pytest.ini tests/system/test_neighbours.py

core: test-build $(BUILD)/core/candor.elf | $(SETUP) ## build the pv-only configuration and run its tests
	@CANDOR=$(BUILD)/core/candor.elf tests/run host boot

# ---- checks of the sources ----------------------------------------------------------------------

check: format-check headers-check tidy $(HV_CORE_OBJECTS) ## check formatting, headers, scripts, names in documents, limits of size; static analysis
	@tools/check-sources
	@tools/size --limits $(HV_CORE_OBJECTS:.o=.d)
	@tools/check-names
	@tests/seeded/run --check
	@shellcheck $(SHELL_SCRIPTS)
	@echo 'check: all is well'

SHELL_SCRIPTS := tools/setup tools/newlib tools/debug ci/run.sh .ci/run

# C sources, with neither generated ones nor headers that are for assembly or linker scripts. (Listed only when a goal
# asks for them.)
ifneq ($(filter check format format-check headers-check,$(MAKECMDGOALS)),)
C_FILES := $(wildcard $(shell git ls-files -co --exclude-standard '*.c' '*.h' ':!:*/generated/*' ':!:*.lds.h'))
C_FILES := $(filter-out $(shell grep -lE '^[[:space:]]*\.macro' $(C_FILES)),$(C_FILES))
endif

format: | $(SETUP) ## format all C sources
	@clang-format-14 -i $(C_FILES)

format-check: | $(SETUP)
	@clang-format-14 --dry-run $(C_FILES) 2>&1 | sed -n 's/^\([^: ]*\):[0-9].*/  not formatted: \1/p' | sort -u > $(BUILD)/unformatted
	@if [ -s $(BUILD)/unformatted ]; then cat $(BUILD)/unformatted; \
	    echo 'error: the files above are not formatted; cure: make format' >&2; false; fi

# Static analysis of each object's source again when the object is new, and of what offsets are taken from; -k shows all
# complaints at once.
TIDY_OBJECTS := $(patsubst $(BUILD)/%.o,$(BUILD)/tidy/%.ok,\
                  $(filter-out $(BUILD)/frank/shared/% $(BUILD)/%/generated/candor_dispatch.o,$(ALL_OBJECTS)) \
                  $(call objects_of,$(BUILD)/candor-debug,$(HV_INJECT))) \
                $(patsubst $(BUILD)/%,$(BUILD)/tidy/%.ok,$(HV_OFFSETS) $(FRANK_OFFSETS))
# tidy_rule TARGET, WHAT WAS MADE: by the record that its compilation left beside it
define tidy_rule
$(1): $(2) .clang-tidy tools/tidy
	$$(Q)if [ -e $$<.json ]; then $$(if $$(Q),,set -x;) echo '  TIDY     $$*'; tools/tidy $$<.json; fi
	@mkdir -p $$(@D) && touch $$@
endef
$(eval $(call tidy_rule,$(BUILD)/tidy/%.ok,$(BUILD)/%.o))
$(eval $(call tidy_rule,$(BUILD)/tidy/%.h.ok,$(BUILD)/%.h))
tidy: $(TIDY_OBJECTS)

# Each header compiles alone, with the flags of those who include it.
HEADERS := $(filter %.h,$(C_FILES))
header_flags = $(strip $(if $(filter tests/fuzz/%,$(1)),$(FLAGS_fuzz-plain),\
                 $(if $(filter hypervisor/arch/host/% tests/host/%,$(1)),$(FLAGS_host),\
                 $(if $(filter hypervisor/% shared/%,$(1)),$(FLAGS_hypervisor),\
                 $(if $(filter guestos/platform/pv/%,$(1)),$(FLAGS_frank-pv),\
                 $(if $(filter guestos/platform/native/%,$(1)),$(FLAGS_frank-native),\
                 $(if $(filter guestos/libc/% guestos/user/%,$(1)),$(FLAGS_user),\
                 $(if $(filter guestos/%,$(1)),$(FLAGS_frank),$(FLAGS_guest)))))))))
header_compiler = $(if $(filter tests/fuzz/%,$(1)),$(FUZZCC),$(if $(filter hypervisor/arch/host/% tests/host/%,$(1)),$(HOSTCC),$(CC)))
$(BUILD)/headers/%.ok: % | $(SETUP) $(HV_OFFSETS) $(FRANK_OFFSETS) $(NEWLIB_STAMP)
	@mkdir -p $(@D)
	$(Q)$(call header_compiler,$<) $(call header_flags,$<) -MMD -MP -MT $@ -MF $@.d -fsyntax-only -x c -include $< /dev/null
	@touch $@
headers-check: $(HEADERS:%=$(BUILD)/headers/%.ok)
-include $(HEADERS:%=$(BUILD)/headers/%.ok.d)
