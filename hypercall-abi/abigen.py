#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes generated/ from abi.toml: everything that two sides must agree on is written once, there.

    abigen.py            write the files
    abigen.py --check    exit with 1 and name the files that differ from what would be written
"""

import pathlib
import sys
import textwrap
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "generated"

# type in abi.toml: (C type of a handler's argument, wrapper from a register)
ARG_TYPES = {
    "gpa": ("gpa_t", "gpa({})"),
    "gva": ("gva_t", "gva({})"),
    "entry": ("u64", "{}"),
    "ticks": ("u64", "{}"),
    "count": ("u64", "{}"),
    "word": ("u64", "{}"),
}
# What an argument may stand for; a `gva`, an `entry`, `ticks` and a `count` are that by their type.
ARG_KINDS = (
    "gva", "entry", "ticks", "count", "root", "table", "page", "updates", "frames", "entries", "counters", "code",
    "level", "prot", "causes", "vcpu", "argument",
)  # fmt: skip
FIELD_BYTES = {"u64": 8, "i64": 8, "u32": 4, "char": 1}
RAW_CALL = """\
/* Any function number with any arguments: for tests, which must be able to be wrong. */
static inline struct hc_result candor_call(u64 number, const u64 args[6])
{
    register u64 a0 __asm__("a0") = args[0];
    register u64 a1 __asm__("a1") = args[1];
    register u64 a2 __asm__("a2") = args[2];
    register u64 a3 __asm__("a3") = args[3];
    register u64 a4 __asm__("a4") = args[4];
    register u64 a5 __asm__("a5") = args[5];
    register u64 a6 __asm__("a6") = number;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6), "+r"(a7)
                     : : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}
"""
NOTICE = "Made by hypercall-abi/abigen.py from abi.toml: change that, not this."


def c_head(what):
    return f"/* SPDX-License-Identifier: MIT */\n/* {what} {NOTICE} */\n"


def field_parts(field):
    """('u64', '[14]', bytes) of a field's type."""
    base, _, rest = field["type"].partition("[")
    count = int(rest.rstrip("]")) if rest else 1
    return base, f"[{count}]" if rest else "", FIELD_BYTES[base] * count


def c_type(base):
    """What C calls it."""
    return base if base[-1].isdigit() or base == "char" else f"struct {base}"


def struct_offsets(struct):
    """[(field, offset)]; every field must lie on its own alignment, so that no compiler pads."""
    offset, rows = 0, []
    for field in struct["fields"]:
        base, _, size = field_parts(field)
        if offset % min(FIELD_BYTES[base], 8):
            sys.exit(f"abigen: {struct['name']}.{field['name']} is misaligned at {offset}")
        rows.append((field, offset))
        offset += size
    if offset != struct["size"]:
        sys.exit(f"abigen: struct {struct['name']} has {offset} bytes, not {struct['size']}")
    FIELD_BYTES[struct["name"]] = offset  # those that come after may hold it
    return rows


def kind_of(arg):
    """What an argument stands for."""
    return arg.get("kind", arg["type"])


def check(abi):
    """Stops on a definition that contradicts itself."""
    numbers = [call["number"] for call in abi["call"]]
    if numbers != list(range(len(numbers))):
        sys.exit("abigen: calls must be numbered in order from 0")
    errors = {error["name"] for error in abi["error"]}
    for call in abi["call"]:
        unknown = set(call["errors"]) - errors
        if unknown or len(call["args"]) > 6:
            sys.exit(f"abigen: call {call['name']}: unknown errors {unknown} or too many arguments")
        for arg in call["args"]:
            if kind_of(arg) not in ARG_KINDS:
                sys.exit(f"abigen: call {call['name']}: argument {arg['name']} needs a kind")


def header(abi):
    """Constants and layouts, for C on both sides."""
    out = [c_head("Constants and layouts of the hypercall ABI."), "#pragma once\n", '#include "types.h"\n']
    out.append(f"enum {{\n    CANDOR_ABI_VERSION = {abi['abi']['version']},")
    out.append(f"    CANDOR_EXTENSION = 0x{abi['abi']['extension']:08x},")
    out.append(f"    CANDOR_NOTE_TYPE = {abi['abi']['note_type']}, /* of the ELF note that holds an image_note */\n}};\n")
    out.append(f"#define CANDOR_NOTE_OWNER \"{abi['abi']['note_owner']}\"\n")
    out.append("/* Errors, in a0. */\nenum hc_error {")
    out += [f"    HC_{e['name'].upper()} = {e['value']}, /* {e['doc']} */" for e in abi["error"]]
    out.append("};\n\n/* Function numbers, in a6. */\nenum hc_number {")
    out += [f"    HC_CALL_{c['name'].upper()} = {c['number']}," for c in abi["call"]]
    out.append(f"    HC_CALL_COUNT = {len(abi['call'])},\n}};\n")
    out.append(
        "/* What a call returns in a0 and a1; what the value is without an error, the call says. */\n"
        "struct hc_result {\n    i64 error; /* enum hc_error */\n    u64 value;\n};\n"
    )
    for enum in abi["enum"]:
        out.append(f"/* {enum['doc']} */\nenum candor_{enum['name']} {{")
        out += [f"    {enum['name'].upper()}_{v['name'].upper()} = {v['value']}, /* {v['doc']} */" for v in enum["values"]]
        out.append("};\n")
    for struct in abi["struct"]:
        doc = " ".join(struct["doc"].split())
        out.append("\n".join(textwrap.wrap(f"/* {doc} */", 100, subsequent_indent=" * ")))
        out.append(f"struct {struct['name']} {{")
        rows = struct_offsets(struct)
        for field, _ in rows:
            base, dims, _ = field_parts(field)
            out.append(f"    {c_type(base)} {field['name']}{dims}; /* {field['doc']} */")
        out.append("};")
        out += [
            f"_Static_assert(offsetof(struct {struct['name']}, {field['name']}) == {offset}, \"{field['name']}\");"
            for field, offset in rows
        ]
        out.append(f"_Static_assert(sizeof(struct {struct['name']}) == {struct['size']}, \"{struct['name']}\");\n")
    return "\n".join(out)


def assembly(abi):
    """The same numbers for the assembler, which knows no enum."""
    out = [c_head("Numbers of the hypercall ABI for assembly."), "#pragma once\n"]
    out.append(f"#define CANDOR_ABI_VERSION {abi['abi']['version']}")
    out.append(f"#define CANDOR_NOTE_TYPE {abi['abi']['note_type']}")
    out.append(f"#define CANDOR_NOTE_OWNER \"{abi['abi']['note_owner']}\"")
    out.append(f"#define CANDOR_EXTENSION 0x{abi['abi']['extension']:08x}")
    out += [f"#define HC_CALL_{c['name'].upper()} {c['number']}" for c in abi["call"]]
    for struct in abi["struct"]:
        for field, offset in struct_offsets(struct):
            if field["name"] != "reserved":
                out.append(f"#define {struct['name'].upper()}_{field['name'].upper()} {offset}")
    return "\n".join(out) + "\n"


def stubs(abi):
    """What a guest calls. trap_return has none: only assembly can make it."""
    out = [c_head("A guest's side of the hypercalls."), "#pragma once\n", '#include "candor_abi.h"\n']
    out.append(RAW_CALL)
    for call in abi["call"]:
        if call["name"] == "trap_return":
            continue
        names = [a["name"] for a in call["args"]]
        params = ", ".join(f"u64 {n}" for n in names) or "void"
        out.append(f"/* Returns {call['returns']}. */")
        out.append(f"static inline struct hc_result candor_{call['name']}({params})\n{{")
        for i in range(max(2, len(names))):
            value = f" = {names[i]}" if i < len(names) else ""
            out.append(f"    register u64 a{i} __asm__(\"a{i}\"){value};")
        out.append(f"    register u64 a6 __asm__(\"a6\") = HC_CALL_{call['name'].upper()};")
        out.append('    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;')
        inout = [f'"{"+r" if i < len(names) else "=r"}"(a{i})' for i in range(max(2, len(names)))] + ['"+r"(a6)', '"+r"(a7)']
        clobbers = [f"a{i}" for i in range(max(2, len(names)), 6)] + [f"t{i}" for i in range(7)]
        out.append(f'    __asm__ volatile("ecall" : {", ".join(inout)}')
        out.append("                     : : " + ", ".join(f'"{c}"' for c in clobbers) + ', "memory");')
        out.append("    return (struct hc_result){(i64)a0, a1};\n}\n")
    return "\n".join(out)


def dispatch_header(abi):
    """Typed prototypes of the handlers: one that is missing does not link."""
    out = [c_head("The hypervisor's side of the hypercalls: one handler a call."), "#pragma once\n"]
    out += ['#include "candor_abi.h"', '#include "mem/addr.h"\n', "struct vcpu;\n"]
    for call in abi["call"]:
        params = "".join(f", {ARG_TYPES[a['type']][0]} {a['name']}" for a in call["args"])
        out.append(f"struct hc_result hc_{call['name']}(struct vcpu *vcpu{params});")
    out.append("\n/* Calls the handler of `number` with a0 to a5; HC_NOT_SUPPORTED for an unknown number. */")
    out.append("struct hc_result hypercall_dispatch(struct vcpu *vcpu, u64 number, const u64 a[6]);\n")
    out.append("/* The calls' names, by number. */\nextern const char *const hypercall_names[HC_CALL_COUNT];")
    return "\n".join(out) + "\n"


def dispatch_source(abi):
    out = [c_head("From registers to typed handlers."), '#include "candor_dispatch.h"\n']
    out.append("const char *const hypercall_names[HC_CALL_COUNT] = {")
    out += [f'    [HC_CALL_{c["name"].upper()}] = "{c["name"]}",' for c in abi["call"]]
    out.append("};\n\nstruct hc_result hypercall_dispatch(struct vcpu *vcpu, u64 number, const u64 a[6])\n{")
    out.append("    switch (number) {")
    for call in abi["call"]:
        args = "".join(", " + ARG_TYPES[a["type"]][1].format(f"a[{i}]") for i, a in enumerate(call["args"]))
        out.append(f"    case HC_CALL_{call['name'].upper()}:\n        return hc_{call['name']}(vcpu{args});")
    out.append("    default:\n        return (struct hc_result){HC_NOT_SUPPORTED, 0};\n    }\n}")
    return "\n".join(out) + "\n"


def grammar(abi):
    """The calls as data, for whoever makes up calls."""
    values = {error["name"]: error["value"] for error in abi["error"]}
    out = [c_head("The calls' arguments and errors as data, for the fuzzer."), "#pragma once\n", '#include "candor_abi.h"\n']
    out.append("/* What an argument stands for. */\nenum grammar_kind {")
    out += [f"    GRAMMAR_{kind.upper()}," for kind in ARG_KINDS]
    out.append("};\n\nenum { GRAMMAR_ARGS_MAX = 6 };\n")
    out.append(
        "struct grammar_call {\n    const char *name;\n    u32 count; /* of arguments */\n"
        "    u8 kinds[GRAMMAR_ARGS_MAX]; /* enum grammar_kind */\n"
        "    u32 errors; /* bit n: -n may be returned */\n};\n"
    )
    out.append("static const struct grammar_call grammar_calls[HC_CALL_COUNT] = {")
    for call in abi["call"]:
        kinds = ", ".join(f"GRAMMAR_{kind_of(a).upper()}" for a in call["args"]) or "0"
        bits = sum(1 << -values[e] for e in call["errors"])
        out.append(f'    [HC_CALL_{call["name"].upper()}] = {{"{call["name"]}", {len(call["args"])}, {{{kinds}}}, 0x{bits:x}}},')
    out.append("};")
    return "\n".join(out) + "\n"


def reference(abi):
    """The document that a guest's author reads."""
    meta = abi["abi"]
    out = [f"<!-- SPDX-License-Identifier: MIT. {NOTICE} -->\n# The hypercall ABI, version {meta['version']}\n"]
    out.append(f"Extension id `0x{meta['extension']:08x}`. {' '.join(meta['extension_doc'].split())}\n")
    out.append(f"**Versions.** {' '.join(meta['version_rule'].split())}\n")
    out.append(f"**Order of errors.** {' '.join(meta['error_rule'].split())}\n")
    out.append("| call | function | returns |\n| --- | --- | --- |")
    for call in abi["call"]:
        args = ", ".join(a["name"] for a in call["args"])
        out.append(f"| [`{call['name']}({args})`](#{call['name']}) | {call['number']} | {call['returns']} |")
    out.append("\n## Errors\n\n| error | value | meaning |\n| --- | --- | --- |")
    out += [f"| `{e['name']}` | {e['value']} | {e['doc']} |" for e in abi["error"]]
    for enum in abi["enum"]:
        out.append(f"\n## {enum.get('what', 'Bits')}: {enum['name']}\n\n{enum['doc']}\n\n| name | value | meaning |\n| --- | --- | --- |")
        out += [f"| `{v['name']}` | {v['value']} | {v['doc']} |" for v in enum["values"]]
    for struct in abi["struct"]:
        out.append(f"\n## Structure: {struct['name']} ({struct['size']} bytes)\n\n{' '.join(struct['doc'].split())}\n")
        out.append("| offset | field | type | meaning |\n| --- | --- | --- | --- |")
        out += [f"| {o} | `{f['name']}` | {f['type']} | {f['doc']} |" for f, o in struct_offsets(struct)]
    for call in abi["call"]:
        out.append(f"\n## {call['name']}\n\n{' '.join(call['doc'].split())}\n")
        if call["args"]:
            out.append("| register | argument | type | meaning |\n| --- | --- | --- | --- |")
            out += [f"| a{i} | `{a['name']}` | {a['type']} | {a['doc']} |" for i, a in enumerate(call["args"])]
            out.append("")
        errors = ", ".join(f"`{e}`" for e in call["errors"]) or "none"
        out.append(f"Returns {call['returns']}. Errors: {errors}.")
    return "\n".join(out) + "\n"


FILES = {
    "candor_abi.h": header,
    "candor_asm.h": assembly,
    "candor_calls.h": stubs,
    "candor_dispatch.h": dispatch_header,
    "candor_dispatch.c": dispatch_source,
    "candor_grammar.h": grammar,
    "abi.md": reference,
}


def main(argv):
    if argv not in ([], ["--check"]):
        sys.exit(__doc__)
    abi = tomllib.loads((HERE / "abi.toml").read_text())
    check(abi)
    stale = []
    OUT.mkdir(exist_ok=True)
    for name, make in FILES.items():
        path, text = OUT / name, make(abi).rstrip("\n") + "\n"
        if argv:
            if not path.exists() or path.read_text() != text:
                stale.append(str(path.relative_to(HERE.parent)))
        elif not path.exists() or path.read_text() != text:
            path.write_text(text)
    if stale:
        sys.exit("abigen: out of date: " + " ".join(stale) + " (cure: hypercall-abi/abigen.py, then commit)")


if __name__ == "__main__":
    main(sys.argv[1:])
