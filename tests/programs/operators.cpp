// SPDX-License-Identifier: GPL-2.0-only
/*
 * operators: C++ new and delete in all their forms. The test builds it, against libstdc++ or with
 * an allocator that has operators of its own.
 *
 *	go COUNT    COUNT rounds of the eight forms; answers what was handed out and given back
 */
#include <cstddef>
#include <new>

extern "C" {
#include "talk.h"
}

struct alignas(64) wide {
	char bytes[192];
};

static void *volatile sink;

template <typename T> static T *keep(T *block)
{
	sink = block;
	return static_cast<T *>(sink);
}

int main()
{
	unsigned long long calls = 0, bytes = 0;

	delete keep(new char); /* warm up: the runtime is initialised */
	talk_print("ready\n");
	for (;;) {
		talk_read();
		for (uint64_t i = 0; talk_is("go") && i < talk_number(1); i++) {
			delete keep(new long long); /* 8, sized delete */
			delete[] keep(new char[100 + i % 50]);
			delete keep(new (std::nothrow) int); /* 4 */
			delete[] keep(new (std::nothrow) char[33]);
			delete keep(new wide);	    /* 192, aligned */
			delete[] keep(new wide[3]); /* 576, aligned */
			::operator delete(keep(static_cast<char *>(::operator new(77))));
			::operator delete(static_cast<void *>(keep(static_cast<char *>(
						  ::operator new(128, std::align_val_t(128))))),
					  std::align_val_t(128));
			keep(new short); /* 2, stays */
			calls += 9;
			bytes += 8 + 100 + i % 50 + 4 + 33 + 192 + 576 + 77 + 128 + 2;
		}
		talk_print("done malloc_calls=%llu free_calls=%llu allocated_bytes=%llu "
			   "live_blocks=%llu\n",
			   calls, calls / 9 * 8, bytes, calls / 9);
	}
}
