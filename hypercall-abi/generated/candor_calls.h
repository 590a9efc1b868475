/* SPDX-License-Identifier: MIT */
/* A guest's side of the hypercalls. Made by hypercall-abi/abigen.py from abi.toml: change that, not this. */

#pragma once

#include "candor_abi.h"

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

/* Returns the ABI version. */
static inline struct hc_result candor_version(void)
{
    register u64 a0 __asm__("a0");
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_VERSION;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "=r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_shared_page(u64 page)
{
    register u64 a0 __asm__("a0") = page;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_SHARED_PAGE;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns the causes that do go straight there. */
static inline struct hc_result candor_trap_register(u64 entry, u64 causes)
{
    register u64 a0 __asm__("a0") = entry;
    register u64 a1 __asm__("a1") = causes;
    register u64 a6 __asm__("a6") = HC_CALL_TRAP_REGISTER;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_yield_idle(u64 until)
{
    register u64 a0 __asm__("a0") = until;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_YIELD_IDLE;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_yield(void)
{
    register u64 a0 __asm__("a0");
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_YIELD;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "=r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_timer_set(u64 deadline)
{
    register u64 a0 __asm__("a0") = deadline;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_TIMER_SET;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_table_make(u64 table, u64 level)
{
    register u64 a0 __asm__("a0") = table;
    register u64 a1 __asm__("a1") = level;
    register u64 a6 __asm__("a6") = HC_CALL_TABLE_MAKE;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many tables it still linked. */
static inline struct hc_result candor_table_free(u64 table)
{
    register u64 a0 __asm__("a0") = table;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_TABLE_FREE;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_table_link(u64 root, u64 address, u64 table)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = table;
    register u64 a6 __asm__("a6") = HC_CALL_TABLE_LINK;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a6), "+r"(a7)
                     : : "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns the table. */
static inline struct hc_result candor_table_unlink(u64 root, u64 address, u64 level)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = level;
    register u64 a6 __asm__("a6") = HC_CALL_TABLE_UNLINK;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a6), "+r"(a7)
                     : : "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns the old entry, 0 for none. */
static inline struct hc_result candor_pte_set(u64 root, u64 address, u64 entry)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = entry;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_SET;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a6), "+r"(a7)
                     : : "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns the entry, 0 for none. */
static inline struct hc_result candor_pte_get(u64 root, u64 address)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_GET;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many were done. */
static inline struct hc_result candor_pte_batch(u64 root, u64 updates, u64 count)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = updates;
    register u64 a2 __asm__("a2") = count;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_BATCH;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a6), "+r"(a7)
                     : : "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many were done. */
static inline struct hc_result candor_pte_fill(u64 root, u64 address, u64 frames, u64 count, u64 prot)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = frames;
    register u64 a3 __asm__("a3") = count;
    register u64 a4 __asm__("a4") = prot;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_FILL;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a6), "+r"(a7)
                     : : "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many pages were gone through, mapped or not. */
static inline struct hc_result candor_pte_protect(u64 root, u64 address, u64 count, u64 prot)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = count;
    register u64 a3 __asm__("a3") = prot;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_PROTECT;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a6), "+r"(a7)
                     : : "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many pages were gone through, mapped or not. */
static inline struct hc_result candor_pte_clone(u64 to_root, u64 from_root, u64 address, u64 count, u64 entries)
{
    register u64 a0 __asm__("a0") = to_root;
    register u64 a1 __asm__("a1") = from_root;
    register u64 a2 __asm__("a2") = address;
    register u64 a3 __asm__("a3") = count;
    register u64 a4 __asm__("a4") = entries;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_CLONE;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a6), "+r"(a7)
                     : : "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many pages were gone through, mapped or not. */
static inline struct hc_result candor_pte_clear(u64 root, u64 address, u64 count, u64 entries)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = count;
    register u64 a3 __asm__("a3") = entries;
    register u64 a6 __asm__("a6") = HC_CALL_PTE_CLEAR;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a6), "+r"(a7)
                     : : "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_space_switch(u64 root)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_SPACE_SWITCH;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_flush(u64 root, u64 address, u64 count)
{
    register u64 a0 __asm__("a0") = root;
    register u64 a1 __asm__("a1") = address;
    register u64 a2 __asm__("a2") = count;
    register u64 a6 __asm__("a6") = HC_CALL_FLUSH;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a6), "+r"(a7)
                     : : "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_counters(u64 counters)
{
    register u64 a0 __asm__("a0") = counters;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_COUNTERS;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns the disk's sectors, of 512 bytes. */
static inline struct hc_result candor_disk_attach(u64 page)
{
    register u64 a0 __asm__("a0") = page;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_DISK_ATTACH;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns how many requests were taken. */
static inline struct hc_result candor_disk_kick(void)
{
    register u64 a0 __asm__("a0");
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_DISK_KICK;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "=r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_disk_detach(void)
{
    register u64 a0 __asm__("a0");
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_DISK_DETACH;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "=r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_vcpu_start(u64 number, u64 entry, u64 argument)
{
    register u64 a0 __asm__("a0") = number;
    register u64 a1 __asm__("a1") = entry;
    register u64 a2 __asm__("a2") = argument;
    register u64 a6 __asm__("a6") = HC_CALL_VCPU_START;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a6), "+r"(a7)
                     : : "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns nothing: it does not return. */
static inline struct hc_result candor_vcpu_stop(void)
{
    register u64 a0 __asm__("a0");
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_VCPU_STOP;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "=r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_vcpu_notify(u64 number)
{
    register u64 a0 __asm__("a0") = number;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_VCPU_NOTIFY;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}

/* Returns 0. */
static inline struct hc_result candor_yield_to(u64 number)
{
    register u64 a0 __asm__("a0") = number;
    register u64 a1 __asm__("a1");
    register u64 a6 __asm__("a6") = HC_CALL_YIELD_TO;
    register u64 a7 __asm__("a7") = CANDOR_EXTENSION;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1), "+r"(a6), "+r"(a7)
                     : : "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (struct hc_result){(i64)a0, a1};
}
