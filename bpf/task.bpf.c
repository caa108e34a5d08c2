// SPDX-License-Identifier: GPL-2.0-only
/* What happens to the target as a process. */
#include "memtrace.bpf.h"

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task, pid_t old_tid)
{
	if (current_tgid() == cfg_tgid && armed)
		send_event(EVENT_EXEC, 0, (__u32)old_tid, 0, false);
	return 0;
}
