/* SPDX-License-Identifier: MIT */
/* What a bundle's record (bundle.h) says of an unmodified guest, where a paravirtual one has none
   of it. Checked by the path that runs it. */
#pragma once

/* Where an image without a format starts: Linux and U-Boot are made for it. Guest-physical. */
#define BUNDLE_RAW_BASE 0x80200000UL

/* bundle_vm.depriv: where its kernel runs. */
enum bundle_depriv {
    BUNDLE_DEPRIV_S = 0, /* in S-mode */
    BUNDLE_DEPRIV_U = 1, /* in U-mode, with its users */
};
