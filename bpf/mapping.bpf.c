// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mmap family by one probe behind the system call instruction of libc's wrapper: the
 * registers are those of the system call interface, whatever the wrapper did before, and rax is
 * the result. The wrappers' callers tell the program's mappings from the allocator's own.
 */
#include "mapping.bpf.h"

SEC("?uprobe")
int mapping_result(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u64 result = PT_REGS_RC(ctx), sp = stack_pointer(ctx);
	__u64 args[4];
	__u32 type;

	if (!armed || is_failure(result))
		return 0;
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
		return 0;
	}
	if (is_nested(sp))
		return 0;
	args[0] = PT_REGS_PARM1(ctx);
	args[1] = PT_REGS_PARM2(ctx);
	args[2] = PT_REGS_PARM3(ctx);
	args[3] = PT_REGS_PARM4_SYSCALL(ctx);
	send_mapping(type, args, read_caller(sp + COOKIE_STACK(cookie)), result);
	return 0;
}
