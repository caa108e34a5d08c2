// SPDX-License-Identifier: GPL-2.0-only
/* See libbpf_log.h. */
#include "libbpf_log.h"

#include <bpf/libbpf.h>
#include <stdio.h>

#include "log.h"

/* Whole logs of the verifier come this way, so not through log.c's single lines. */
static int print_message(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG || log_get_level() < LOG_VERBOSE)
		return 0;
	return vfprintf(stderr, format, args);
}

void libbpf_log__setup(void)
{
	libbpf_set_print(print_message);
}
