# SPDX-License-Identifier: MIT
#
# The hypervisor: build/candor.elf. (The host build of its core is in tests/build.mk.)

# The rooms that every configuration has, and what the core and the full one add.
HV_ROOMS      := arch/riscv64 core mem virt/image.c virt/walk.c virt/pv driver debug
HV_CORE_ROOMS := $(HV_ROOMS) virt/paths_core.c
HV_FULL_ROOMS := $(HV_ROOMS) virt/paths_full.c virt/shadow vdev

HV_CORE_SOURCES := $(call find_sources,$(addprefix hypervisor/,$(HV_CORE_ROOMS)) shared hypercall-abi/generated)
HV_CORE_SOURCES := $(filter-out %_shadow.c,$(HV_CORE_SOURCES))
HV_SOURCES      := $(call find_sources,$(addprefix hypervisor/,$(HV_FULL_ROOMS)) shared hypercall-abi/generated)
HV_INJECT       := $(call find_sources,hypervisor/debug/inject)
HV_OFFSETS_FROM := $(wildcard hypervisor/arch/riscv64/asm-offsets.c)
HV_SCRIPT       := $(call linker_script,hypervisor/arch/riscv64/candor)
HV_SOURCES      := $(filter-out $(HV_OFFSETS_FROM) $(HV_INJECT),$(HV_SOURCES))
HV_CORE_SOURCES := $(filter-out $(HV_OFFSETS_FROM) $(HV_INJECT),$(HV_CORE_SOURCES))

HV_INCLUDES := -Ihypervisor -Ihypervisor/arch/riscv64 -Ishared/include $(ABI_INCLUDES) -I$(BUILD)/hypervisor
# DEBUG=1 checks the order of locks and measures how long each entry takes (core/lock.h, debug/stay.h). build/debug/candor.elf
# is always built so, beside the other, with debug/inject: faults on demand, for the tests.
FLAGS_hypervisor := $(C_COMMON) $(KERNEL_FLAGS) $(HV_INCLUDES) $(if $(filter 1,$(DEBUG)),-DCONFIG_DEBUG=1)
FLAGS_hypervisor-debug := $(C_COMMON) $(KERNEL_FLAGS) $(HV_INCLUDES) -DCONFIG_DEBUG=1

HV_OFFSETS := $(if $(HV_OFFSETS_FROM),$(BUILD)/hypervisor/asm-offsets.h)
ifneq ($(HV_OFFSETS),)
$(eval $(call offsets_rule,$(HV_OFFSETS),$(HV_OFFSETS_FROM),hypervisor))
endif

$(eval $(call compile_rules,$(BUILD)/candor,hypervisor,$(CC),$(HV_OFFSETS)))
$(eval $(call compile_rules,$(BUILD)/candor-debug,hypervisor-debug,$(CC),$(HV_OFFSETS)))
HV_DEBUG_OBJECTS := $(call objects_of,$(BUILD)/candor-debug,$(HV_SOURCES) $(HV_INJECT))
HV_OBJECTS := $(call objects_of,$(BUILD)/candor,$(HV_SOURCES))
HV_CORE_OBJECTS := $(call objects_of,$(BUILD)/candor,$(HV_CORE_SOURCES))

# hypervisor_image OUTPUT, OBJECTS: an image that holds the table of its own functions (debug/symbols.h).
# It is linked without the table, the table is made from that, and it is linked again.
define hypervisor_image
$(call link_rule,$(1).first,$(HV_SCRIPT),$(2),$(KERNEL_FLAGS) $(KERNEL_LINK))
$(1).symbols.S: $(1).first tools/mksymbols
	$(Q)tools/mksymbols $(CROSS) $$< > $$@
$(1).symbols.o: $(1).symbols.S
	$(Q)$(CC) $(KERNEL_FLAGS) -c -o $$@ $$<
$(call link_rule,$(1),$(HV_SCRIPT),$(2) $(1).symbols.o,$(KERNEL_FLAGS) $(KERNEL_LINK))
	$(Q)tools/mksymbols $(CROSS) $$@ | cmp -s - $(1).symbols.S || \
	    { echo 'error: $(1): the table of functions moved the functions; it must lie behind the code' >&2; false; }
endef

ifneq ($(HV_SCRIPT),)
$(eval $(call hypervisor_image,$(BUILD)/candor.elf,$(HV_OBJECTS)))
$(eval $(call hypervisor_image,$(BUILD)/core/candor.elf,$(HV_CORE_OBJECTS)))
$(eval $(call hypervisor_image,$(BUILD)/debug/candor.elf,$(HV_DEBUG_OBJECTS)))
IMAGES += $(BUILD)/candor.elf
ALL_TEST_OBJECTS += $(HV_DEBUG_OBJECTS)
ALL_OBJECTS += $(HV_OBJECTS)
endif
