// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsers on text of real processes (6.18; status-5.10.txt is written by hand after the lines that
 * kernel prints, no 5.10 was at hand), readers on ourselves and our children.
 */
#include "proc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define DATA "tests/unit/data/"
#define KB 1024ULL

/* The file's text, or "" where it cannot be read: what follows then fails. */
static const char *data(const char *name)
{
	static char text[16384];
	char path[256];
	size_t used = 0;
	FILE *file;

	snprintf(path, sizeof(path), DATA "%s", name);
	file = fopen(path, "r");
	if (file) {
		used = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[used] = '\0';
	return text;
}

TEST(status_of_process)
{
	struct proc_status status;

	CHECK(proc_parse_status(data("status-6.18.txt"), &status) == 0);
	CHECK_U64(status.vm_bytes, 14404 * KB);
	CHECK_U64(status.rss_bytes, 9264 * KB);
	CHECK_U64(status.rss_anon_bytes, 3152 * KB);
	CHECK_U64(status.rss_file_bytes, 6112 * KB);
	CHECK_U64(status.rss_shmem_bytes, 0);
	CHECK_U64(status.swap_bytes, 0);
	CHECK_U64(status.threads, 1);
	CHECK(status.tgid == 6069);
	CHECK(status.state == 'R');
}

TEST(status_without_newer_lines)
{
	struct proc_status status;

	CHECK(proc_parse_status(data("status-5.10.txt"), &status) == 0);
	CHECK_U64(status.vm_bytes, 66240 * KB);
	CHECK_U64(status.rss_bytes, 12980 * KB);
	CHECK_U64(status.rss_anon_bytes, 5860 * KB);
	CHECK_U64(status.rss_file_bytes, 7116 * KB);
	CHECK_U64(status.rss_shmem_bytes, 4 * KB);
	CHECK_U64(status.swap_bytes, 1204 * KB);
	CHECK_U64(status.threads, 5);
	CHECK(status.tgid == 612);
	CHECK(status.state == 'S');
}

static bool sizes_unknown(const struct proc_status *status)
{
	return status->vm_bytes == SNAPSHOT_UNKNOWN && status->rss_bytes == SNAPSHOT_UNKNOWN &&
	       status->rss_anon_bytes == SNAPSHOT_UNKNOWN &&
	       status->rss_file_bytes == SNAPSHOT_UNKNOWN &&
	       status->rss_shmem_bytes == SNAPSHOT_UNKNOWN &&
	       status->swap_bytes == SNAPSHOT_UNKNOWN;
}

TEST(status_without_sizes)
{
	struct proc_status status;

	CHECK(proc_parse_status(data("status-kthread.txt"), &status) == 0);
	CHECK(sizes_unknown(&status));
	CHECK_U64(status.threads, 1);
	CHECK(status.tgid == 2 && status.state == 'S');
	CHECK(proc_parse_status(data("status-zombie.txt"), &status) == 0);
	CHECK(sizes_unknown(&status));
	CHECK(status.tgid == 6070 && status.state == 'Z');
	CHECK(proc_parse_status("Name:\tx\n", &status) == 0);
	CHECK(sizes_unknown(&status));
	CHECK_U64(status.threads, SNAPSHOT_UNKNOWN);
	CHECK(status.tgid == 0 && status.state == 0);
}

TEST(status_of_odd_name)
{
	struct proc_status status;

	CHECK(proc_parse_status(data("status-name.txt"), &status) == 0);
	CHECK_U64(status.rss_bytes, 9260 * KB);
	CHECK(proc_parse_status("Name:\tVmRSS: 1 kB\nVmRSS:\t2 kB", &status) == 0);
	CHECK_U64(status.rss_bytes, 2 * KB);
}

TEST(status_refused)
{
	struct proc_status status;

	CHECK(proc_parse_status("", &status) == -EINVAL);
	CHECK(proc_parse_status("State:\tR\n", &status) == -EINVAL);
	CHECK(proc_parse_status(data("stat-6.18.txt"), &status) == -EINVAL);
	CHECK(proc_parse_status("Name:\tx\nVmRSS:\tmuch kB\n", &status) == -EINVAL);
	CHECK(proc_parse_status("Name:\tx\nVmRSS:\t12 MB\n", &status) == -EINVAL);
	CHECK(proc_parse_status("Name:\tx\nVmRSS:\t-1 kB\n", &status) == -EINVAL);
	CHECK(proc_parse_status("Name:\tx\nVmRSS:\t18446744073709551615 kB\n", &status) ==
	      -EINVAL);
	CHECK(proc_parse_status("Name:\tx\nThreads:\n", &status) == -EINVAL);
}

TEST(stat_of_process)
{
	struct proc_stat stat;

	CHECK(proc_parse_stat(data("stat-6.18.txt"), &stat) == 0);
	CHECK_STR(stat.comm, "python3");
	CHECK(stat.state == 'R');
	CHECK_U64(stat.flags, 4194304);
	CHECK_U64(stat.minor_faults, 1034);
	CHECK_U64(stat.major_faults, 6);
	CHECK_U64(stat.start_ticks, 448139);
}

TEST(stat_of_odd_name)
{
	struct proc_stat stat;

	CHECK(proc_parse_stat(data("stat-name.txt"), &stat) == 0);
	CHECK_STR(stat.comm, "a) (b\n) S 1 (");
	CHECK(stat.state == 'R');
	CHECK_U64(stat.minor_faults, 1032);
	CHECK_U64(stat.start_ticks, 448139);
	CHECK(proc_parse_stat("1 () S 0 0 0 0 -1 9 10 11 12 13 14 15 16 17 18 19 20 21 22\n",
			      &stat) == 0);
	CHECK_STR(stat.comm, "");
	CHECK_U64(stat.start_ticks, 22);
}

TEST(stat_of_kernel_thread_and_zombie)
{
	struct proc_stat stat;

	CHECK(proc_parse_stat(data("stat-kthread.txt"), &stat) == 0);
	CHECK_STR(stat.comm, "kthreadd");
	CHECK_U64(stat.flags & 0x00200000, 0x00200000);
	CHECK_U64(stat.start_ticks, 25);
	CHECK(proc_parse_stat(data("stat-zombie.txt"), &stat) == 0);
	CHECK(stat.state == 'Z');
	CHECK_U64(stat.minor_faults, 68);
}

TEST(stat_refused)
{
	struct proc_stat stat;

	CHECK(proc_parse_stat("", &stat) == -EINVAL);
	CHECK(proc_parse_stat("1 (x", &stat) == -EINVAL);
	CHECK(proc_parse_stat("1 x) S 1", &stat) == -EINVAL);
	CHECK(proc_parse_stat(")(", &stat) == -EINVAL);
	CHECK(proc_parse_stat("1 (x)", &stat) == -EINVAL);
	CHECK(proc_parse_stat("1 (x) ", &stat) == -EINVAL);
	CHECK(proc_parse_stat("1 (x) S 0 0 0 0 -1 9 10 11 12", &stat) == -EINVAL);
	CHECK(proc_parse_stat(data("status-6.18.txt"), &stat) == -EINVAL);
}

TEST(stat_name_cut)
{
	struct proc_stat stat;
	char text[256];

	snprintf(text, sizeof(text), "1 (%0200d) S 0", 7);
	CHECK(proc_parse_stat(text, &stat) == -EINVAL);
	CHECK_U64(strlen(stat.comm), SNAPSHOT_COMM_SIZE - 1);
}

TEST(maps_line_kinds)
{
	const char *path;
	struct vma vma;

	CHECK(proc_parse_maps_line("55c433aec000-55c433af1000 r-xp 00002000 fe:00 248056"
				   "                     /usr/bin/sleep", &vma, &path) == 0);
	CHECK_U64(vma.start, 0x55c433aec000);
	CHECK_U64(vma.end, 0x55c433af1000);
	CHECK_U64(vma.offset, 0x2000);
	CHECK_U64(vma.dev, makedev(0xfe, 0));
	CHECK_U64(vma.inode, 248056);
	CHECK_U64(vma.flags, VMA_EXEC | VMA_FILE);
	CHECK_STR(path, "/usr/bin/sleep");
	CHECK(proc_parse_maps_line("00a85000-00aca000 rw-p 00000000 00:00 0 ", &vma, &path) == 0);
	CHECK_U64(vma.flags, VMA_WRITE);
	CHECK_STR(path, "");
	CHECK(proc_parse_maps_line("1000-2000 ---p 0 00:00 0", &vma, &path) == 0);
	CHECK_U64(vma.flags, 0);
	CHECK_STR(path, "");
	CHECK(proc_parse_maps_line("7f0000000000-7f0000001000 rw-s ffffffffff000 103:2 "
				   "18446744073709551615 /dev/x", &vma, &path) == 0);
	CHECK_U64(vma.dev, makedev(0x103, 2));
	CHECK_U64(vma.inode, UINT64_MAX);
	CHECK_U64(vma.offset, 0xffffffffff000);
	CHECK_U64(vma.flags, VMA_WRITE | VMA_SHARED | VMA_FILE);
}

TEST(maps_line_special)
{
	static const char *const names[] = { "[vvar]", "[vvar_vclock]", "[vdso]", "[uprobes]" };
	const char *path;
	struct vma vma;
	char line[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "1000-2000 r-xp 00000000 00:00 0   %s", names[i]);
		CHECK(proc_parse_maps_line(line, &vma, &path) == 0);
		CHECK_STR(path, names[i]);
		CHECK_U64(vma.flags, VMA_EXEC | VMA_SPECIAL);
	}
	CHECK(proc_parse_maps_line("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0"
				   "                  [vsyscall]", &vma, &path) == 0);
	CHECK_U64(vma.start, 0xffffffffff600000);
	CHECK_U64(vma.flags, VMA_EXEC | VMA_SPECIAL);
	CHECK(proc_parse_maps_line("1000-2000 rw-p 0 00:00 0 [anon:[vdso]]", &vma, &path) == 0);
	CHECK_U64(vma.flags, VMA_WRITE);
	CHECK(proc_parse_maps_line("1000-2000 rw-p 0 00:00 0 [heap]", &vma, &path) == 0);
	CHECK_U64(vma.flags, VMA_WRITE);
}

TEST(maps_line_refused)
{
	static const char *const lines[] = {
		"", "x", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 rw-p",
		"1000-2000 rw-p 0", "1000-2000 rw-p 0 00:00", "1000-2000 rw-p 0 00:00 x",
		"1000-2000 rw-p 0 0000 0", "2000-1000 rw-p 0 00:00 0", "1000-1000 rw-p 0 00:00 0",
		"1000-2000 rw-pp 0 00:00 0", "1000-2000 rw-? 0 00:00 0", "-1-2000 rw-p 0 00:00 0",
		"10000000000000000-10000000000001000 rw-p 0 00:00 0", "1000-2000 rw-p 0 00:00 0x",
		"1000-2000 rw-p 0 100000000:00 0", "Rss:                   4 kB",
	};
	const char *path;
	struct vma vma;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK(proc_parse_maps_line(lines[i], &vma, &path) == -EINVAL);
}

/* What is to be seen of the lines with `path` in maps-6.18.txt. */
static const struct {
	const char *path;
	uint32_t flags;
	uint64_t inode;
} captured[] = {
	{ "[heap]", VMA_WRITE, 0 },
	{ "[stack]", VMA_WRITE, 0 },
	{ "/SYSV00000000 (deleted)", VMA_WRITE | VMA_SHARED | VMA_FILE, 0 },
	{ "/tmp/odd/gone (deleted)", VMA_WRITE | VMA_SHARED | VMA_FILE, 10952885 },
	{ "/tmp/odd/with  two (deleted)", VMA_WRITE | VMA_SHARED | VMA_FILE, 10952884 },
	{ "/tmp/odd/new\\012line", VMA_FILE, 10952883 },
	{ "/dev/zero (deleted)", VMA_WRITE | VMA_SHARED | VMA_FILE, 1050 },
	{ "/memfd:scratch (deleted)", VMA_WRITE | VMA_SHARED | VMA_FILE, 1049 },
	{ "[vvar]", VMA_SPECIAL, 0 },
	{ "[vvar_vclock]", VMA_SPECIAL, 0 },
	{ "[vdso]", VMA_SPECIAL | VMA_EXEC, 0 },
	{ "[vsyscall]", VMA_SPECIAL | VMA_EXEC, 0 },
};

/* 1 if the line is one of `captured` and as it should be, 0 if it is none, -1 if it is wrong. */
static int judge_line(const struct vma *vma, const char *path)
{
	for (size_t i = 0; i < sizeof(captured) / sizeof(captured[0]); i++) {
		if (strcmp(captured[i].path, path) != 0)
			continue;
		return vma->flags == captured[i].flags && vma->inode == captured[i].inode ? 1 : -1;
	}
	return 0;
}

TEST(maps_text)
{
	char text[16384];
	size_t lines = 0, known = 0;
	uint64_t last_end = 0;
	char *rest = text, *line;

	snprintf(text, sizeof(text), "%s", data("maps-6.18.txt"));
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *path;
		struct vma vma;

		CHECK(proc_parse_maps_line(line, &vma, &path) == 0);
		CHECK(vma.start >= last_end);
		CHECK(judge_line(&vma, path) >= 0);
		known += (size_t)judge_line(&vma, path);
		last_end = vma.end;
		lines++;
	}
	CHECK_U64(lines, 66);
	CHECK_U64(known, sizeof(captured) / sizeof(captured[0]));
}

TEST(read_own_status)
{
	struct proc_status status;
	int fd = proc_open(getpid());
	int err = proc_read_status(fd, &status);

	close(fd);
	CHECK(fd >= 0);
	CHECK(err == 0);
	CHECK(status.tgid == getpid());
	CHECK(status.state == 'R');
	CHECK_U64(status.threads, 1);
	CHECK_U64(status.rss_bytes,
		  status.rss_anon_bytes + status.rss_file_bytes + status.rss_shmem_bytes);
	CHECK(status.rss_bytes > 100 * KB && status.vm_bytes > status.rss_bytes);
}

TEST(read_own_stat)
{
	struct proc_stat before, after;
	int fd = proc_open(getpid());
	size_t bytes = 64 * 4096;
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	CHECK(area != MAP_FAILED);
	madvise(area, bytes, MADV_NOHUGEPAGE);
	prctl(PR_SET_NAME, "x) S\n(y");
	err = proc_read_stat(fd, &before);
	for (size_t i = 0; i < bytes; i += 4096)
		area[i] = 1;
	err |= proc_read_stat(fd, &after);
	munmap(area, bytes);
	close(fd);
	CHECK(err == 0);
	CHECK_STR(after.comm, "x) S\n(y");
	CHECK(after.state == 'R');
	CHECK(after.minor_faults >= before.minor_faults + 64);
	CHECK_U64(after.start_ticks, before.start_ticks);
}

struct seen {
	uint64_t addr;		/* to look for */
	char path[64];		/* of the mapping that holds it */
	size_t longest_path;
	size_t count;
	int answer;
};

static int see(void *ctx, struct vma *vma, const char *path)
{
	struct seen *seen = ctx;

	seen->count++;
	if (strlen(path) > seen->longest_path)
		seen->longest_path = strlen(path);
	if (vma->start <= seen->addr && seen->addr < vma->end) {
		snprintf(seen->path, sizeof(seen->path), "%s", path);
		vma->flags |= VMA_RUNTIME;
	}
	return seen->answer;
}

TEST(read_own_maps)
{
	struct vma_list list = { 0 };
	struct seen seen = { .addr = (uintptr_t)&test_status };
	const struct vma *vma;
	int fd = proc_open(getpid());
	int err = proc_read_maps(fd, &list, see, &seen);
	struct vma copy = { 0 };

	vma = vma_list__find(&list, seen.addr);
	if (vma)
		copy = *vma;
	close(fd);
	CHECK_U64(list.count, seen.count);
	vma_list__free(&list);
	CHECK(err == 0);
	CHECK_U64(copy.flags, VMA_EXEC | VMA_FILE | VMA_RUNTIME);
	CHECK(seen.path[0] == '/');
}

TEST(visit_ends_reading)
{
	struct vma_list list = { 0 };
	struct seen seen = { .answer = -E2BIG };
	int fd = proc_open(getpid());
	int err = proc_read_maps(fd, &list, see, &seen);

	close(fd);
	vma_list__free(&list);
	CHECK(err == -E2BIG);
	CHECK_U64(seen.count, 1);
}

/* Every second page of an area read-only: a mapping for each page. */
TEST(read_thousands_of_maps)
{
	size_t pages = 20000, bytes = pages * 4096, inside = 0, count;
	char *area = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vma_list list = { 0 };
	uint64_t start = (uintptr_t)area;
	int fd = proc_open(getpid());
	int err;

	CHECK(area != MAP_FAILED);
	for (size_t i = 0; i < pages; i += 2)
		CHECK(mprotect(area + i * 4096, 4096, PROT_READ) == 0);
	err = proc_read_maps(fd, &list, NULL, NULL);
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].start == start + inside * 4096)
			inside++;
	}
	munmap(area, bytes);
	/* Read again into the same list: emptied, not appended to. */
	count = list.count;
	err |= proc_read_maps(fd, &list, NULL, NULL);
	close(fd);
	CHECK(err == 0);
	CHECK(list.count < count - 19000);
	vma_list__free(&list);
	CHECK(inside >= pages - 1);	/* the last page may join what follows */
}

/* Goes down directories whose names are all newlines, each four bytes in maps, and maps a file. */
static char *map_deep_file(int dir, size_t depth)
{
	char name[256], *area;
	int fd;

	memset(name, '\n', 255);
	name[255] = '\0';
	for (size_t i = 0; i < depth; i++) {
		int next;

		if (mkdirat(dir, name, 0700))
			break;
		next = openat(dir, name, O_PATH | O_DIRECTORY);
		close(dir);
		dir = next;
	}
	fd = openat(dir, "file", O_RDWR | O_CREAT, 0600);
	close(dir);
	if (fd < 0 || ftruncate(fd, 4096))
		return MAP_FAILED;
	area = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return area;
}

static size_t path_seen(size_t depth, uint64_t *addr, struct vma_list *list)
{
	char top[] = "/tmp/memtrace-maps-XXXXXX", command[64];
	struct seen seen = { 0 };
	char *area;
	int fd;

	if (!mkdtemp(top))
		return 0;
	area = map_deep_file(open(top, O_PATH | O_DIRECTORY), depth);
	*addr = (uintptr_t)area;
	fd = proc_open(getpid());
	if (area == MAP_FAILED || proc_read_maps(fd, list, see, &seen))
		seen.longest_path = 0;
	close(fd);
	if (area != MAP_FAILED)
		munmap(area, 4096);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command) ? 0 : seen.longest_path;
}

TEST(read_long_paths)
{
	static const size_t depths[] = { 3, 15, 60, 100, 200 };

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		struct vma_list list = { 0 };
		uint64_t addr;
		size_t longest = path_seen(depths[i], &addr, &list);
		const struct vma *vma = vma_list__find(&list, addr);
		uint64_t length = vma ? vma->end - vma->start : 0;
		size_t after = vma ? (size_t)(list.items + list.count - vma) : 0;

		vma_list__free(&list);
		CHECK(longest > (depths[i] > 60 ? 65000 : depths[i] * 1020));
		CHECK(longest < 65536);
		CHECK_U64(length, 4096);
		CHECK(after > 1);	/* the lines behind the long one were not lost */
	}
}

static int read_all(int fd, int *status_err, int *stat_err, int *maps_err, char *state)
{
	struct vma_list list = { 0 };
	struct proc_status status = { 0 };
	struct proc_stat stat;

	*status_err = proc_read_status(fd, &status);
	*stat_err = proc_read_stat(fd, &stat);
	*maps_err = proc_read_maps(fd, &list, NULL, NULL);
	*state = status.state;
	vma_list__free(&list);
	return 0;
}

TEST(read_gone_process)
{
	int status_err, stat_err, maps_err;
	siginfo_t info;
	pid_t child;
	char state;
	int fd;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	fd = proc_open(child);
	CHECK(fd >= 0);
	kill(child, SIGKILL);
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	read_all(fd, &status_err, &stat_err, &maps_err, &state);
	CHECK(status_err == 0 && stat_err == 0);
	CHECK(state == 'Z');
	CHECK(maps_err == -ESRCH);
	waitpid(child, NULL, 0);
	read_all(fd, &status_err, &stat_err, &maps_err, &state);
	close(fd);
	CHECK(status_err == -ESRCH);
	CHECK(stat_err == -ESRCH);
	CHECK(maps_err == -ESRCH);
	CHECK(proc_open(child) == -ENOENT);
}

TEST(read_kernel_thread)
{
	struct proc_stat stat;
	int status_err, stat_err, maps_err;
	char state;
	int fd = proc_open(2);

	if (fd < 0 || proc_read_stat(fd, &stat) || !(stat.flags & 0x00200000)) {
		close(fd);
		SKIP("no kernel threads in this PID namespace");
	}
	read_all(fd, &status_err, &stat_err, &maps_err, &state);
	close(fd);
	CHECK(status_err == 0 && stat_err == 0);
	CHECK(maps_err == -ESRCH || maps_err == -EACCES || maps_err == -EPERM);
}

int main(void)
{
	RUN(status_of_process);
	RUN(status_without_newer_lines);
	RUN(status_without_sizes);
	RUN(status_of_odd_name);
	RUN(status_refused);
	RUN(stat_of_process);
	RUN(stat_of_odd_name);
	RUN(stat_of_kernel_thread_and_zombie);
	RUN(stat_refused);
	RUN(stat_name_cut);
	RUN(maps_line_kinds);
	RUN(maps_line_special);
	RUN(maps_line_refused);
	RUN(maps_text);
	RUN(read_own_status);
	RUN(read_own_stat);
	RUN(read_own_maps);
	RUN(visit_ends_reading);
	RUN(read_thousands_of_maps);
	RUN(read_long_paths);
	RUN(read_gone_process);
	RUN(read_kernel_thread);
	return test_status();
}
