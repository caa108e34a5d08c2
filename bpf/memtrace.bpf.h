/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the programs: counters, sending a record, and what the stack says about nesting. */
#ifndef MEMTRACE_BPF_H
#define MEMTRACE_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define BPF_INLINE static __attribute__((always_inline)) inline

BPF_INLINE struct counters_val *counters_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&counters, &key);
}

/* Uprobe programs can be preempted, so a plain increment of a per-CPU value could lose one. */
BPF_INLINE void counter_add(__u64 *counter, __u64 value)
{
	__sync_fetch_and_add(counter, value);
}

BPF_INLINE __u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

BPF_INLINE void fill_head(struct event_rec *rec, __u32 type, __u32 flags, __u64 addr, __u64 size)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	rec->addr = addr;
	rec->size = size;
	rec->tgid = pid_tgid >> 32;
	rec->tid_type = EVENT_TID_TYPE((__u32)pid_tgid, flags, type);
}

BPF_INLINE void count_lost_event(void)
{
	struct counters_val *sums = counters_get();

	if (sums)
		counter_add(&sums->lost_events, 1);
}

/*
 * Returns false when the ring was full; the loss is counted, what it held is the caller's. discard:
 * go all the way but leave no record, to measure what it costs.
 */
BPF_INLINE bool send_event(__u32 type, __u32 flags, __u64 addr, __u64 size,
			   bool discard)
{
	struct event_rec *rec;

	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_lost_event();
		return false;
	}
	fill_head(rec, type, flags, addr, size);
	if (discard)
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return true;
}

/*
 * Uprobes need no look at the process: each of their attachments is bound to one. Probes on
 * memtrace's own functions, for calibration, are always armed.
 */
BPF_INLINE bool is_armed(__u64 cookie)
{
	return armed || cookie & COOKIE_CALIBRATION;
}

BPF_INLINE bool is_alloc_site(__u64 addr)
{
	__u32 low = addr & 0xfff;

	return alloc_sites[low >> 6 & (SITE_BITMAP_WORDS - 1)] >> (low & 63) & 1;
}

/*
 * The stack pointer, read once: the verifier refuses a context pointer that the compiler has moved
 * ahead to share it between two places.
 */
BPF_INLINE __u64 stack_pointer(struct pt_regs *ctx)
{
	__u64 sp = PT_REGS_SP(ctx);

	__asm__ volatile("" : "+r"(sp));
	return sp;
}

/*
 * Is this call made inside another probed call of the same thread? The kernel keeps the pending
 * return probes of a thread as a list; its top is the innermost. It counts when it is one of our
 * sites (address space randomisation leaves the low 12 bits alone, and another tool's probe on
 * other functions does not match) and its frame is still there: an entry whose stack lies below
 * ours was left by longjmp. Equal means either a tail call, whose return address is the kernel's
 * trampoline, or a leftover at the same depth, whose return address is the original one.
 */
BPF_INLINE bool is_nested(__u64 sp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct return_instance *top;
	struct uprobe_task *utask;
	__u64 stack, return_addr = 0;

	utask = task->utask;
	if (!utask)
		return false;
	top = utask->return_instances;
	if (!top || !is_alloc_site(top->func))
		return false;
	stack = top->stack;
	if (stack != sp)
		return stack > sp;
	bpf_probe_read_user(&return_addr, sizeof(return_addr), (void *)sp);
	return return_addr != top->orig_ret_vaddr;
}

#endif
