#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Regenerates vmlinux/ARCH/vmlinux.h from the running kernel, or from the BTF of another one.
# The list of types below is the place to add one.
set -eu

arch=${1:?usage: update.sh ARCH [BTF]}
btf=${2:-/sys/kernel/btf/vmlinux}
here=$(dirname "$0")
mkdir -p "$here/$arch"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O2 -o "$work/dump_types" \
	"$here/dump_types.c" -lbpf

# The thread, its address space, and the uprobes it is in the middle of.
set -- 'struct task_struct' 'struct mm_struct' 'struct vm_area_struct' 'struct signal_struct' \
	'struct uprobe_task' 'struct return_instance' 'struct uprobe' '?struct uprobe_consumer' \
	'struct pid' 'struct linux_binprm' 'struct file' 'struct path' 'struct dentry'
# Contexts of programs.
set -- "$@" 'struct pt_regs' 'struct bpf_perf_event_data' 'struct bpf_raw_tracepoint_args' \
	'struct trace_event_raw_sys_enter' 'struct trace_event_raw_sys_exit' \
	'?struct trace_event_raw_exceptions' \
	'struct bpf_iter_meta' 'struct bpf_iter__task' '?struct bpf_iter__task_vma' 'struct seq_file'
# Constants of the helpers' interface; most live in enums without a name.
set -- "$@" 'enum bpf_map_type' 'enum bpf_func_id' 'enum bpf_attach_type' 'enum bpf_prog_type' \
	'enumerator false' 'enumerator BPF_ANY' 'enumerator BPF_F_NO_PREALLOC' \
	'enumerator BPF_F_CURRENT_CPU' 'enumerator BPF_F_USER_STACK' 'enumerator BPF_F_FAST_STACK_CMP' \
	'enumerator BPF_RB_NO_WAKEUP' 'enumerator BPF_RB_AVAIL_DATA' \
	'enumerator BPF_RINGBUF_BUSY_BIT' 'enumerator BPF_LOCAL_STORAGE_GET_F_CREATE' \
	'?enumerator BPF_F_UPROBE_MULTI_RETURN' 'enumerator BPF_F_GET_BRANCH_RECORDS_SIZE' \
	'?enumerator MM_ANONPAGES'
for type in __u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64 u8 u16 u32 u64 s8 s16 s32 s64 \
	bool pid_t size_t __be16 __be32 __wsum; do
	set -- "$@" "typedef $type"
done

"$work/dump_types" "$btf" "$@" >"$work/vmlinux.h"
mv "$work/vmlinux.h" "$here/$arch/vmlinux.h"
chmod 644 "$here/$arch/vmlinux.h"
wc -l "$here/$arch/vmlinux.h" >&2
