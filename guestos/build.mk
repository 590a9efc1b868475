# SPDX-License-Identifier: MIT
#
# Frank: the kernel in two builds, the C library port, the user programs, the initial RAM disk.

# ---- kernel -------------------------------------------------------------------------------------
# Common code is compiled once and sees no platform's headers: the platform is chosen by linking.

FRANK_SOURCES := $(call find_sources,$(filter-out guestos/platform guestos/libc guestos/user guestos/rootfs \
                   guestos/arch guestos/include guestos/build.mk,$(wildcard guestos/*)) guestos/arch/riscv64) \
                 $(wildcard guestos/platform/*.c) $(call find_sources,shared)
FRANK_OFFSETS_FROM := $(wildcard guestos/arch/riscv64/asm-offsets.c)
FRANK_SOURCES := $(filter-out $(FRANK_OFFSETS_FROM),$(FRANK_SOURCES))

FRANK_INCLUDES := -Iguestos -Iguestos/include -Iguestos/kernel -Iguestos/platform -Iguestos/arch/riscv64 \
                  -Ishared/include -I$(BUILD)/guestos
# FRANK_LOCK_CHECKS=1 builds a kernel that checks the order of its locks, at some instructions a lock.
FRANK_LOCK_CHECKS ?= 0
FLAGS_frank        := $(C_COMMON) $(KERNEL_FLAGS) $(FRANK_INCLUDES) -DFRANK_LOCK_CHECKS=$(FRANK_LOCK_CHECKS)
FLAGS_frank-native := $(FLAGS_frank) -Iguestos/platform/native
FLAGS_frank-pv     := $(FLAGS_frank) -Iguestos/platform/pv $(ABI_INCLUDES)

FRANK_OFFSETS := $(if $(FRANK_OFFSETS_FROM),$(BUILD)/guestos/asm-offsets.h)
ifneq ($(FRANK_OFFSETS),)
$(eval $(call offsets_rule,$(FRANK_OFFSETS),$(FRANK_OFFSETS_FROM),frank))
endif

$(eval $(call compile_rules,$(BUILD)/frank,frank,$(CC),$(FRANK_OFFSETS)))
FRANK_OBJECTS := $(call objects_of,$(BUILD)/frank,$(FRANK_SOURCES))
ALL_OBJECTS += $(FRANK_OBJECTS)

# frank_image PLATFORM
define frank_image
FRANK_$(1)_SCRIPT := $(call linker_script,guestos/platform/$(1)/frank)
FRANK_$(1)_OBJECTS := $(call objects_of,$(BUILD)/frank-$(1),$(call find_sources,guestos/platform/$(1)))
$(call compile_rules,$(BUILD)/frank-$(1),frank-$(1),$(CC),$(FRANK_OFFSETS))
endef
$(foreach p,native pv,$(eval $(call frank_image,$(p))))
define frank_link
ifneq ($(FRANK_$(1)_SCRIPT),)
$(call link_rule,$(BUILD)/frank-$(1).elf,$(FRANK_$(1)_SCRIPT),$(FRANK_OBJECTS) $(FRANK_$(1)_OBJECTS),$(KERNEL_FLAGS) $(KERNEL_LINK))
IMAGES += $(BUILD)/frank-$(1).elf
ALL_OBJECTS += $(FRANK_$(1)_OBJECTS)
endif
endef
$(foreach p,native pv,$(eval $(call frank_link,$(p))))

# build/debug/frank-native.elf checks the order of its locks, for the tests.
FLAGS_frank-checked := $(C_COMMON) $(KERNEL_FLAGS) $(FRANK_INCLUDES) -DFRANK_LOCK_CHECKS=1
$(eval $(call compile_rules,$(BUILD)/frank-checked,frank-checked,$(CC),$(FRANK_OFFSETS)))
FRANK_CHECKED_OBJECTS := $(call objects_of,$(BUILD)/frank-checked,$(FRANK_SOURCES))
ifneq ($(FRANK_native_SCRIPT),)
$(eval $(call link_rule,$(BUILD)/debug/frank-native.elf,$(FRANK_native_SCRIPT),$(FRANK_CHECKED_OBJECTS) $(FRANK_native_OBJECTS),$(KERNEL_FLAGS) $(KERNEL_LINK)))
FRANK_DEBUG_IMAGE := $(BUILD)/debug/frank-native.elf
ALL_TEST_OBJECTS += $(FRANK_CHECKED_OBJECTS)
endif

# ---- user programs ------------------------------------------------------------------------------
# Each guestos/user/NAME.c, and each folder guestos/user/NAME/, is a program. The C library port is
# linked as objects, before newlib: its functions stand in for newlib's own of the same name.

NEWLIB_DIR := $(NEWLIB)/riscv64-unknown-elf
USER_FLAGS := -march=rv64imafdc -mabi=lp64d -mcmodel=medany -D__DYNAMIC_REENT__ -D_GNU_SOURCE \
              -D_POSIX_TIMERS=200809L -D_POSIX_MONOTONIC_CLOCK=200809L -D_POSIX_CPUTIME=200809L -ffunction-sections \
              -fdata-sections -fno-pic -fno-asynchronous-unwind-tables
USER_INCLUDES := -iquote guestos/user -iquote shared/include -Iguestos/include -Iguestos/libc -Iguestos/libc/include -isystem $(NEWLIB_DIR)/include
FLAGS_user := $(C_COMMON) $(USER_FLAGS) $(USER_INCLUDES)
$(eval $(call compile_rules,$(BUILD)/user-objects,user,$(CC),$(NEWLIB_STAMP)))

LIBC_OBJECTS  := $(call objects_of,$(BUILD)/user-objects,$(call find_sources,guestos/libc))
USER_SCRIPT   := $(call linker_script,guestos/user/user)
USER_FILES    := $(wildcard guestos/user/*.c)
USER_FOLDERS  := $(patsubst %/,%,$(filter %/,$(wildcard guestos/user/*/)))
# What programs share is no program.
USER_PROGRAMS := $(filter-out volume,$(notdir $(basename $(USER_FILES)) $(USER_FOLDERS)))
USER_SHARED_mkfs := guestos/user/volume
USER_SHARED_fsck := guestos/user/volume
USER_LINK     := $(USER_FLAGS) -nostdlib -nostartfiles -static -Wl,--gc-sections -Wl,--build-id=none \
                 -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096

# user_program NAME
define user_program
USER_$(1)_OBJECTS := $(call objects_of,$(BUILD)/user-objects,$(wildcard guestos/user/$(1).c) \
                       $(call find_sources,guestos/user/$(1) $(USER_SHARED_$(1))))
FLAGS_link-user-$(1) := $(USER_LINK) $(LIBC_OBJECTS) $$(USER_$(1)_OBJECTS)
$(BUILD)/user/$(1): $$(USER_$(1)_OBJECTS) $(LIBC_OBJECTS) $(USER_SCRIPT) $(NEWLIB_STAMP) \
                    $(call flags_file,link-user-$(1))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D) $(BUILD)/user-debug
	$$(Q)$(CC) $(USER_LINK) -T $(USER_SCRIPT) -o $(BUILD)/user-debug/$(1) $(LIBC_OBJECTS) \
	    $$(USER_$(1)_OBJECTS) -L$(NEWLIB_DIR)/lib -Wl,--start-group -lc -lm -lgcc -Wl,--end-group
	$$(Q)$(OBJCOPY) --strip-debug $(BUILD)/user-debug/$(1) $$@
USER_BINARIES += $(BUILD)/user/$(1)
ALL_OBJECTS += $$(USER_$(1)_OBJECTS)
endef
ifneq ($(and $(USER_SCRIPT),$(LIBC_OBJECTS)),)
$(foreach p,$(USER_PROGRAMS),$(eval $(call user_program,$(p))))
ALL_OBJECTS += $(LIBC_OBJECTS)

ROOTFS_FILES := $(shell find guestos/rootfs -type f 2>/dev/null)
endif

include guestos/foreign.mk

# ---- programs for the host ----------------------------------------------------------------------
# The disk's programs once more, for the machine that builds: build/tools/mkfs.frank and fsck.frank.

DISK_TOOLS := mkfs fsck
FLAGS_tool := $(C_COMMON) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -iquote guestos/user -iquote guestos/include \
              -iquote shared/include
$(eval $(call compile_rules,$(BUILD)/tool-objects,tool,$(HOSTCC)))

# disk_tool NAME
define disk_tool
TOOL_$(1)_OBJECTS := $(call objects_of,$(BUILD)/tool-objects,$(call find_sources,guestos/user/$(1) $(USER_SHARED_$(1))))
FLAGS_link-tool-$(1) := $$(TOOL_$(1)_OBJECTS)
$(BUILD)/tools/$(1).frank: $$(TOOL_$(1)_OBJECTS) $(call flags_file,link-tool-$(1))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(HOSTCC) -o $$@ $$(TOOL_$(1)_OBJECTS)
IMAGES += $(BUILD)/tools/$(1).frank
ALL_OBJECTS += $$(TOOL_$(1)_OBJECTS)
endef
$(foreach t,$(DISK_TOOLS),$(eval $(call disk_tool,$(t))))

# All of it in a file system, to boot from: build/disk.img is what a new disk holds, and is copied to be
# used; build/initrd.img comes with the kernel and is a disk in memory. ROOT_TREE is what both are made of.
ROOT_TREE := $(BUILD)/root
ROOT_BINARIES := $(USER_BINARIES) $(FOREIGN_BINARIES)
FLAGS_root := $(ROOT_BINARIES) $(ROOTFS_FILES)
$(BUILD)/root.made: $(ROOT_BINARIES) $(FOREIGN_FILES) $(ROOTFS_FILES) $(call flags_file,root)
	$(Q)rm -rf $(ROOT_TREE) && mkdir -p $(addprefix $(ROOT_TREE)/,bin dev tmp)
	$(Q)cp -R guestos/rootfs/. $(ROOT_TREE) && cp $(ROOT_BINARIES) $(ROOT_TREE)/bin $(FOREIGN_COPY) && touch $@

MKFS_disk   := -s 64M
MKFS_initrd := -m -s 32M -i 2015
$(BUILD)/disk.img $(BUILD)/initrd.img: $(BUILD)/%.img: $(BUILD)/tools/mkfs.frank $(BUILD)/root.made
	$(call say,MKFS,$@)
	$(Q)rm -f $@.new && $(BUILD)/tools/mkfs.frank $(MKFS_$*) -d $(ROOT_TREE) $@.new >$(BUILD)/$*.log && mv $@.new $@
IMAGES += $(BUILD)/disk.img $(BUILD)/initrd.img

# ---- the port, shown ----------------------------------------------------------------------------

.PHONY: port
port: $(BUILD)/frank-native.elf $(BUILD)/frank-pv.elf ## write docs/port.md: native instructions beside hypercalls
	@tools/port-page $(BUILD)
