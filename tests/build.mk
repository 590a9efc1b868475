# SPDX-License-Identifier: MIT
#
# Host unit tests, test guests, system tests, and the checks of the sources.
