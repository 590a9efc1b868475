# SPDX-License-Identifier: MIT
#
# The hypercall ABI: generated files are committed, so a build needs no generator.

ABI_INCLUDES := -Ihypercall-abi/generated
