# SPDX-License-Identifier: MIT
#
# The workloads and the comparison.

.PHONY: compare
compare: all ## measure native, pv and pv-bounced side by side (QUICK=1: under a minute)
	@bench/compare $(if $(QUICK),--quick) --output $(BUILD)/compare
