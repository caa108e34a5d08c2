/* SPDX-License-Identifier: GPL-2.0-only */
/* libbpf's own messages: shown with -v, else silent. */
#ifndef MEMTRACE_LIBBPF_LOG_H
#define MEMTRACE_LIBBPF_LOG_H

/* Once, before anything uses libbpf. */
void libbpf_log__setup(void);

#endif
