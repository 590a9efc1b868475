# SPDX-License-Identifier: MIT
#
# The workloads and the comparison.

.PHONY: compare
compare: all ## measure native, pv and pv-bounced side by side (QUICK=1: under a minute; TRACE=1: with the trace on)
	@bench/compare $(if $(QUICK),--quick) $(if $(filter-out 0,$(TRACE)),--trace) --output $(BUILD)/compare
