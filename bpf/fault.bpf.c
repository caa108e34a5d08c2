// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults by the tracepoints of x86. They fire for every process of the machine: the compare
 * of the tgid comes first and is all that others pay. Interrupts are off here, so that plain
 * increments of per-CPU counters are safe.
 */
#include "memtrace.bpf.h"

/* Bits of the x86 page-fault error code. */
#define FAULT_PRESENT (1 << 0)
#define FAULT_WRITE (1 << 1)
#define FAULT_EXEC (1 << 4)

/*
 * Which reads mapped the zero page the tracepoint cannot know: that takes the mapping, and the
 * loader has it. So reads of absent pages are sent one by one; everything else is counted here.
 */
BPF_INLINE void count_fault(__u64 address, __u64 error_code, bool by_user)
{
	struct counters_val *sums = counters_get();

	if (!sums)
		return;
	if (by_user)
		sums->user_faults++;
	else
		sums->kernel_faults++;
	if (error_code & FAULT_WRITE) {
		if (error_code & FAULT_PRESENT)
			sums->cow_faults++;
		else
			sums->write_faults++;
	} else if (!(error_code & (FAULT_PRESENT | FAULT_EXEC))) {
		send_event(EVENT_READ_FAULT, 0, address, 0, false);
	}
}

BPF_INLINE bool is_target(void)
{
	return current_tgid() == cfg_tgid && armed;
}

SEC("?tp_btf/page_fault_user")
int BPF_PROG(fault_user, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	if (is_target())
		count_fault(address, error_code, true);
	return 0;
}

/* Faults on user addresses taken inside system calls, such as read(2) into a fresh buffer. */
SEC("?tp_btf/page_fault_kernel")
int BPF_PROG(fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	if (is_target())
		count_fault(address, error_code, false);
	return 0;
}
