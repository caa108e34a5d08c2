/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mmap family, by one probe behind the system call instruction of libc's wrapper: the
 * registers are those of the system call interface, whatever the wrapper did before, and rax is
 * the result. Where a wrapper has no such place, by its entry and return. The wrapper's caller
 * tells the program's mappings from the allocator's own.
 */
#ifndef MEMTRACE_MAPPING_BPF_H
#define MEMTRACE_MAPPING_BPF_H

#include "memtrace.bpf.h"

/* From the system call interface; the same on x86-64 and arm64. */
#define MAPPING_FIXED 0x10
#define MAPPING_ANONYMOUS 0x20
#define MAX_ERRNO 4095

BPF_INLINE __u64 read_caller(__u64 return_slot)
{
	__u64 caller = 0;

	bpf_probe_read_user(&caller, sizeof(caller), (void *)return_slot);
	return caller;
}

BPF_INLINE void send_mapping(__u32 type, const __u64 *args, __u64 caller, __u64 result)
{
	struct mapping_rec *rec;

	/* File mappings matter only where they may replace an anonymous one. */
	if (type == EVENT_MMAP && !(args[3] & (MAPPING_ANONYMOUS | MAPPING_FIXED)))
		return;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_lost_event();
		return;
	}
	if (type == EVENT_MUNMAP)
		fill_head(&rec->head, type, 0, args[0], args[1]);
	else
		fill_head(&rec->head, type, 0, result, type == EVENT_MMAP ? args[1] : args[2]);
	rec->caller = caller;
	rec->old_addr = type == EVENT_MREMAP ? args[0] : 0;
	rec->old_size = type == EVENT_MREMAP ? args[1] : 0;
	rec->flags = type == EVENT_MUNMAP ? 0 : args[3];
	rec->prot = type == EVENT_MMAP ? args[2] : 0;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
}

BPF_INLINE bool is_failure(__u64 result)
{
	return result >= (__u64)-MAX_ERRNO;
}

BPF_INLINE void mapping_enter(struct pt_regs *ctx, __u64 sp, struct pending_call *pending)
{
	pending->args[0] = PT_REGS_PARM1(ctx);
	pending->args[1] = PT_REGS_PARM2(ctx);
	pending->args[2] = PT_REGS_PARM3(ctx);
	pending->args[3] = PT_REGS_PARM4(ctx);
	pending->caller = read_caller(sp);
}

BPF_INLINE void mapping_exit(__u64 shape, const struct pending_call *pending, __u64 result)
{
	__u32 type = shape == SHAPE_MMAP   ? EVENT_MMAP :
		     shape == SHAPE_MUNMAP ? EVENT_MUNMAP :
					     EVENT_MREMAP;

	if (!is_failure(result))
		send_mapping(type, pending->args, pending->caller, result);
}

BPF_INLINE void mapping_result(struct pt_regs *ctx, __u64 cookie)
{
	__u64 result = PT_REGS_RC(ctx), sp = stack_pointer(ctx);
	__u64 args[4];
	__u32 type;

	if (is_failure(result))
		return;
	switch (COOKIE_SHAPE(cookie)) {
	case SHAPE_MMAP_RESULT:
		type = EVENT_MMAP;
		break;
	case SHAPE_MUNMAP_RESULT:
		type = EVENT_MUNMAP;
		break;
	case SHAPE_MREMAP_RESULT:
		type = EVENT_MREMAP;
		break;
	default:
		return;
	}
	if (is_nested(sp))
		return;
	args[0] = PT_REGS_PARM1(ctx);
	args[1] = PT_REGS_PARM2(ctx);
	args[2] = PT_REGS_PARM3(ctx);
	args[3] = PT_REGS_PARM4_SYSCALL(ctx);
	send_mapping(type, args, read_caller(sp + COOKIE_STACK(cookie)), result);
}

#endif
