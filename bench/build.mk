# SPDX-License-Identifier: MIT
#
# The workloads and the comparison.

.PHONY: compare
compare: all ## measure native, pv and pv-bounced side by side (QUICK=1: under a minute; COLUMNS=native,shadow-s,... ROWS="null call,..."; TRACE=1: with the trace on)
	@bench/compare $(if $(QUICK),--quick) $(if $(COLUMNS),--columns $(COLUMNS)) $(if $(ROWS),--rows $(call quoted,$(ROWS))) $(if $(filter-out 0,$(TRACE)),--trace) --output $(BUILD)/compare
