// SPDX-License-Identifier: GPL-2.0-only
/*
 * The uprobes. One session program where the kernel has sessions, else an entry and a return
 * program with task storage between them, both on call_enter() and call_exit(). What needs no
 * return has a program of its own.
 */
#include "memtrace.bpf.h"

#include "mapping.bpf.h"

extern bool bpf_session_is_return(void) __ksym __weak;
extern __u64 *bpf_session_cookie(void) __ksym __weak;

/*
 * A call between its entry and its return, in one word, for the session cookie has no more: size,
 * shape, the flags of its records. 0: of no interest.
 */
#define CALL_SIZE_MASK ((1ULL << 48) - 1)
#define CALL_SHAPE_SHIFT 48
#define CALL_SHAPE(call) ((call) >> CALL_SHAPE_SHIFT & 0xff)
#define CALL_FLAGS_SHIFT 56
#define CALL_FLAGS(call) ((call) >> CALL_FLAGS_SHIFT & 0xf)
#define CALL_HAD_OLD ((__u64)EVENT_FLAG_HAD_OLD << CALL_FLAGS_SHIFT)
#define CALL_CALIBRATION (1ULL << 62)
#define CALL_TRACED (1ULL << 63)

/* No allocator can serve a size past the mask, so cutting it there changes no result. */
BPF_INLINE __u64 clip_size(__u64 size)
{
	return size > CALL_SIZE_MASK ? CALL_SIZE_MASK : size;
}

/* Sizes past 2^32 on either side are rare enough for a division, and calloc then checks too. */
BPF_INLINE __u64 multiply_sizes(__u64 count, __u64 size)
{
	if ((count | size) >> 32 && size && count > CALL_SIZE_MASK / size)
		return CALL_SIZE_MASK;
	return clip_size(count * size);
}

/*
 * What a hit costs matters to the user, so hits are counted: by the loader where they left a
 * record, which carries the kind, and here where they left none.
 */
BPF_INLINE void count_silent_hit(__u64 cookie, __u32 kind)
{
	struct counters_val *sums;

	if (cookie & COOKIE_CALIBRATION)
		return;
	sums = counters_get();
	if (!sums)
		return;
	if (cookie & COOKIE_STEPPED)
		kind |= 1;
	counter_add(&sums->silent_hits[kind & (HIT_KIND_COUNT - 1)], 1);
}

BPF_INLINE __u32 stepped_flag(__u64 cookie)
{
	return cookie & COOKIE_STEPPED ? EVENT_FLAG_STEPPED : 0;
}

BPF_INLINE struct pending_call *pending_get(__u64 flags)
{
	return bpf_task_storage_get(&pending_calls, bpf_get_current_task_btf(), 0, flags);
}

BPF_INLINE void count_lost(__u64 allocs, __u64 bytes, __u64 frees)
{
	struct counters_val *sums = counters_get();

	if (!sums)
		return;
	counter_add(&sums->lost_allocs, allocs);
	counter_add(&sums->lost_alloc_bytes, bytes);
	counter_add(&sums->lost_frees, frees);
}

BPF_INLINE __u64 start_call(__u64 cookie)
{
	__u64 call = CALL_TRACED | COOKIE_SHAPE(cookie) << CALL_SHAPE_SHIFT |
		     (__u64)stepped_flag(cookie) << CALL_FLAGS_SHIFT;

	return cookie & COOKIE_CALIBRATION ? call | CALL_CALIBRATION : call;
}

/* The word that call_exit() needs, or 0 when the return is of no interest. */
BPF_INLINE __u64 call_enter(struct pt_regs *ctx, __u64 cookie)
{
	__u64 arg1 = PT_REGS_PARM1(ctx), arg2 = PT_REGS_PARM2(ctx), arg3 = PT_REGS_PARM3(ctx);
	__u64 call = start_call(cookie), sp = stack_pointer(ctx);
	struct pending_call *pending;

	if (!is_armed(cookie))
		return 0;
	if (is_nested(sp)) {
		count_silent_hit(cookie, HIT_CALL);
		return 0;
	}
	switch (COOKIE_SHAPE(cookie)) {
	case SHAPE_MALLOC:
		return call | clip_size(arg1);
	case SHAPE_CALLOC:
		return call | multiply_sizes(arg1, arg2);
	case SHAPE_ALIGNED_ALLOC:
		return call | clip_size(arg2);
	case SHAPE_POSIX_MEMALIGN:
		pending = pending_get(BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!pending)
			break;
		pending->args[0] = arg1;
		return call | clip_size(arg3);
	case SHAPE_REALLOC:
	case SHAPE_REALLOCARRAY:
		call |= COOKIE_SHAPE(cookie) == SHAPE_REALLOC ? clip_size(arg2) :
								multiply_sizes(arg2, arg3);
		if (arg1) {
			call |= CALL_HAD_OLD;
			send_event(EVENT_LEAVE, 0, arg1, 0, false);
		}
		return call;
	case SHAPE_MMAP:
	case SHAPE_MUNMAP:
	case SHAPE_MREMAP:
		pending = pending_get(BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!pending)
			break;
		mapping_enter(ctx, sp, pending);
		return call;
	default:
		return 0;
	}
	/* No memory for the hand-over: the call will be missed. */
	count_lost_event();
	return 0;
}

BPF_INLINE void exit_realloc(__u64 call, __u64 block)
{
	__u64 size = call & CALL_SIZE_MASK;
	bool had_old = call & CALL_HAD_OLD;

	if (!block && !had_old)
		return;
	if (!send_event(EVENT_ENTER, CALL_FLAGS(call), block, size, false))
		count_lost(!!block, block ? size : 0, had_old && (block || !size));
}

BPF_INLINE void call_exit(struct pt_regs *ctx, __u64 call)
{
	__u64 size = call & CALL_SIZE_MASK, block = PT_REGS_RC(ctx);
	struct pending_call *pending;

	switch (CALL_SHAPE(call)) {
	case SHAPE_REALLOC:
	case SHAPE_REALLOCARRAY:
		exit_realloc(call, block);
		return;
	case SHAPE_POSIX_MEMALIGN:
		pending = pending_get(0);
		if ((__u32)block || !pending)
			return;
		block = 0;
		bpf_probe_read_user(&block, sizeof(block), (void *)pending->args[0]);
		break;
	case SHAPE_MMAP:
	case SHAPE_MUNMAP:
	case SHAPE_MREMAP:
		pending = pending_get(0);
		if (pending)
			mapping_exit(CALL_SHAPE(call), pending, block);
		return;
	default:
		break;
	}
	if (block && !send_event(EVENT_ALLOC, CALL_FLAGS(call), block, size,
				 call & CALL_CALIBRATION))
		count_lost(1, size, 0);
}

/* 6.13+: one trap each way, the word travels in the session's own cookie. */
SEC("?uprobe")
int alloc_session(struct pt_regs *ctx)
{
	__u64 *call = bpf_session_cookie();

	if (bpf_session_is_return()) {
		if (*call & CALL_TRACED)
			call_exit(ctx, *call);
		return 0;
	}
	*call = call_enter(ctx, bpf_get_attach_cookie(ctx));
	return *call ? 0 : 1;	/* 1: leave this call's return alone */
}

SEC("?uprobe")
int alloc_enter(struct pt_regs *ctx)
{
	__u64 call = call_enter(ctx, bpf_get_attach_cookie(ctx));
	struct pending_call *pending;

	if (!call)
		return 0;
	pending = pending_get(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!pending) {
		count_lost_event();
		return 0;
	}
	pending->call = call;
	pending->sp = PT_REGS_SP(ctx);
	return 0;
}

/*
 * Without sessions the returns of nested calls come here too. The stack pointer tells the
 * outermost one: it is back where it was at the entry, less the return address. A tail call
 * returns at the same place with the same result, so there the first of the two will do.
 */
SEC("?uprobe")
int alloc_exit(struct pt_regs *ctx)
{
	struct pending_call *pending = pending_get(0);
	__u64 call;

	if (!pending || !pending->call || PT_REGS_SP(ctx) != pending->sp + sizeof(__u64))
		return 0;
	call = pending->call;
	pending->call = 0;
	call_exit(ctx, call);
	return 0;
}

BPF_INLINE void free_enter(struct pt_regs *ctx, __u64 cookie)
{
	__u64 block = PT_REGS_PARM1(ctx), sp = stack_pointer(ctx);

	if (!block || is_nested(sp)) {
		count_silent_hit(cookie, HIT_ENTRY);
		return;
	}
	if (!send_event(EVENT_FREE, stepped_flag(cookie), block, 0, cookie & COOKIE_CALIBRATION))
		count_lost(0, 0, 1);
}

/* All sites that one hit tells all of, in one program, for each link of them takes its time to go. */
SEC("?uprobe")
int entry_only(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (!is_armed(cookie))
		return 0;
	if (COOKIE_SHAPE(cookie) == SHAPE_FREE)
		free_enter(ctx, cookie);
	else
		mapping_result(ctx, cookie);
	return 0;
}
