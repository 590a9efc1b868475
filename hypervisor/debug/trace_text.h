/* SPDX-License-Identifier: MIT */
/*
 * Trace records as text for people. Pure code.
 */
#pragma once

struct trace_record;

enum { TRACE_TEXT_BYTES = 128 };

/* One line without a newline: what happened, with names. */
void trace_text(const struct trace_record *record, char out[TRACE_TEXT_BYTES]);
