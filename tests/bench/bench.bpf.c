// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memtrace is measured against: an empty program, the least that a uprobe can cost, and the
 * design of existing tools, which keep the requested size by thread between malloc's entry and
 * return, and the live blocks by address.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* tid -> size asked for; entry writes, return deletes; full: the block is missed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} sizes SEC(".maps");

/* address -> size; malloc's return writes, free deletes; full: the block is missed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000000);
	__type(key, __u64);
	__type(value, __u64);
} blocks SEC(".maps");

SEC("uprobe")
int empty(struct pt_regs *ctx)
{
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(malloc_enter, __u64 size)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	bpf_map_update_elem(&sizes, &tid, &size, BPF_ANY);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(malloc_exit, __u64 block)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 *size = bpf_map_lookup_elem(&sizes, &tid);
	__u64 value;

	if (!size)
		return 0;
	value = *size;
	bpf_map_delete_elem(&sizes, &tid);
	if (block)
		bpf_map_update_elem(&blocks, &block, &value, BPF_ANY);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(free_enter, __u64 block)
{
	bpf_map_delete_elem(&blocks, &block);
	return 0;
}
