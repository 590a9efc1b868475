# SPDX-License-Identifier: MIT
"""The parts of tools/candor: reading ELF images, checking and packing virtual machines, starting QEMU."""
