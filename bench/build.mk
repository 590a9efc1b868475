# SPDX-License-Identifier: MIT
#
# The workloads and the comparison.
