// SPDX-License-Identifier: GPL-2.0-only
/* spin: a malloc/free loop that says how fast it is (loop.h). */
#include "loop.h"

int main(void)
{
	loop_pairs(4096);
	talk_print("ready\n");
	for (;;) {
		talk_read();
		if (!loop_answer())
			talk_print("done\n");
	}
}
