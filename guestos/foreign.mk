# SPDX-License-Identifier: MIT
#
# Programs for Frank that nobody here wrote: built from Debian's source packages as they are, with their own makefiles
# and build/frank-cc for a compiler. `make FOREIGN=` builds without them. `make clean` keeps their sources.

FOREIGN ?= lua dash
FOREIGN_KNOWN := lua dash
$(if $(filter-out $(FOREIGN_KNOWN),$(FOREIGN)),$(error FOREIGN=$(FOREIGN): the foreign programs known are $(FOREIGN_KNOWN)))
FOREIGN_DIR := $(BUILD)/foreign
FOREIGN_BINARIES := $(addprefix $(BUILD)/user/,$(FOREIGN))

FLAGS_frank-cc := $(CC) $(USER_FLAGS) $(USER_LINK) $(LIBC_OBJECTS)
$(BUILD)/frank-cc: tools/frank-cc.in $(call flags_file,frank-cc)
	$(Q)sed -e 's|@CC@|$(CC)|' \
	    -e 's|@COMPILE@|$(USER_FLAGS) -I$(TOP)/guestos/include -I$(TOP)/guestos/libc/include -isystem $(abspath $(NEWLIB_DIR))/include|' \
	    -e 's|@LINK@|$(USER_LINK) -T $(TOP)/$(USER_SCRIPT)|' \
	    -e 's|@LIBRARY@|$(abspath $(LIBC_OBJECTS)) -L$(abspath $(NEWLIB_DIR))/lib -Wl,--start-group -lc -lm -lgcc -Wl,--end-group|' $< >$@.new
	$(Q)chmod +x $@.new && mv $@.new $@

$(FOREIGN_DIR)/%/.source: tools/debian-source | $(SETUP)
	$(call say,FETCH,$*)
	@mkdir -p $(FOREIGN_DIR)
	$(Q)tools/debian-source $* $(FOREIGN_DIR)/$* && touch $@

# foreign_build NAME, COMMAND: makes build/user/NAME; an outer make's flags and jobs are not the inner one's.
foreign_build = @mkdir -p $(BUILD)/user; ($(2)) >$(FOREIGN_DIR)/$(1).log 2>&1 || \
    { tail -15 $(FOREIGN_DIR)/$(1).log >&2; echo "error: $(1) could not be built; the whole log is in $(FOREIGN_DIR)/$(1).log" >&2; false; }
INNER_MAKE := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES make
FRANK_CC := $(abspath $(BUILD)/frank-cc)

FOREIGN_NEEDS := $(BUILD)/frank-cc $(LIBC_OBJECTS) $(USER_SCRIPT) $(NEWLIB_STAMP)

$(BUILD)/user/lua: $(FOREIGN_DIR)/lua5.4/.source $(FOREIGN_NEEDS)
	$(call say,FOREIGN,$@)
	$(call foreign_build,lua,$(INNER_MAKE) -C $(<D)/src clean posix CC=$(FRANK_CC) AR="$(AR) rcu" RANLIB=true MYCFLAGS=-Os MYLIBS= \
	    && $(OBJCOPY) --strip-debug $(<D)/src/lua $@)

$(BUILD)/user/dash: $(FOREIGN_DIR)/dash/.source $(FOREIGN_NEEDS)
	$(call say,FOREIGN,$@)
	$(call foreign_build,dash,cd $(<D) && ./configure --host=riscv64-unknown-elf CC=$(FRANK_CC) CC_FOR_BUILD=$(HOSTCC) CFLAGS=-Os \
	    && $(INNER_MAKE) clean && $(INNER_MAKE) && $(OBJCOPY) --strip-debug src/dash $(abspath $@))

# Lua's test programs, which came with version 5.1, in /usr/share/lua; and the same Lua for the machine that builds, whose
# output the tests hold against Frank's.
FOREIGN_FILES := $(if $(filter lua,$(FOREIGN)),$(FOREIGN_DIR)/lua5.1/.source)
FOREIGN_COPY = $(if $(FOREIGN_FILES),&& mkdir -p $(ROOT_TREE)/usr/share/lua && cp $(FOREIGN_DIR)/lua5.1/test/*.lua $(ROOT_TREE)/usr/share/lua)

$(BUILD)/tools/lua: $(FOREIGN_DIR)/lua5.4/.source
	$(call say,FOREIGN,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -O1 -w -DLUA_USE_POSIX -DLUA_COMPAT_5_3 -o $@ $$(ls $(<D)/src/*.c | grep -v luac.c) -lm
