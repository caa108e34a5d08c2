// SPDX-License-Identifier: GPL-2.0-only
/* objects FILE…: holds all these shared objects open beside a malloc/free loop (loop.h). */
#include <dlfcn.h>

#include "loop.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!dlopen(argv[i], RTLD_NOW | RTLD_LOCAL)) {
			talk_print("failed %s\n", dlerror());
			return 1;
		}
	}
	talk_print("ready\n");
	for (;;) {
		talk_read();
		if (!loop_answer())
			talk_print("done\n");
	}
}
