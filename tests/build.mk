# SPDX-License-Identifier: MIT
#
# Host unit tests, test guests, system tests, and the checks of the sources.

# ---- host tests ---------------------------------------------------------------------------------
# The hypervisor's core, with arch/host in the processor's place, as Linux programs under sanitizers.
# Each tests/host/NAME.c is a program (cmocka); tests/host/lib/*.c is at hand for all. What the programs
# share is an archive, so that each links only what it uses and may supply a part of its own.

# Sources of the real port that are pure code, and so are tested as they are.
HOST_PURE    := $(wildcard hypervisor/arch/riscv64/sv39*.c)
HOST_SOURCES := $(call find_sources,$(addprefix hypervisor/,core mem virt arch/host)) $(HOST_PURE) \
                $(filter-out shared/string.c,$(wildcard shared/*.c)) $(call find_sources,tests/host/lib)
ifneq ($(wildcard hypervisor/arch/host),)
HOST_SOURCES += $(wildcard hypercall-abi/generated/*.c)
endif

HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HOST_INCLUDES := $(addprefix -iquote ,hypervisor hypervisor/arch/host hypervisor/arch/riscv64 shared/include \
                   hypercall-abi/generated tests/host/lib)
FLAGS_host    := $(subst -O2,-O1,$(C_COMMON)) $(HOST_SANITIZE) -fno-builtin $(HOST_INCLUDES)

$(eval $(call compile_rules,$(BUILD)/host,host,$(HOSTCC)))
HOST_OBJECTS  := $(call objects_of,$(BUILD)/host,$(HOST_SOURCES))
HOST_TESTS    := $(notdir $(basename $(wildcard tests/host/*.c)))
HOST_PROGRAMS := $(addprefix $(BUILD)/tests/host/,$(HOST_TESTS))

FLAGS_host-archive := $(HOST_OBJECTS)
$(BUILD)/host/libcandor.a: $(HOST_OBJECTS) $(call flags_file,host-archive)
	$(call say,AR,$@)
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcs $@ $(HOST_OBJECTS)

$(HOST_PROGRAMS): $(BUILD)/tests/host/%: $(BUILD)/host/tests/host/%.o $(BUILD)/host/libcandor.a | $(SETUP)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_SANITIZE) -o $@ $^ -lcmocka

ifneq ($(HOST_TESTS),)
ALL_TEST_OBJECTS += $(HOST_OBJECTS) $(patsubst %,$(BUILD)/host/tests/host/%.o,$(HOST_TESTS))
endif

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

# ---- commands -----------------------------------------------------------------------------------

.PHONY: test test-build
test-build: all $(HOST_PROGRAMS) $(GUEST_IMAGES)

test: test-build | $(SETUP) ## run all tests (SUITES="host native" runs some)
	@tests/run $(SUITES)
