// SPDX-License-Identifier: GPL-2.0-only
/* See loop.h. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collect/collector.h"
#include "log.h"

#define NS_PER_S 1000000000ull

/*
 * While events flow the ring is emptied every 4 ms, of which 16 MiB leave plenty even for a
 * delayed wake-up; a target that allocates nothing is asked less often.
 */
#define DRAIN_BUSY_NS 4000000ull
#define DRAIN_IDLE_NS 16000000ull
#define IDLE_AFTER_DRAINS 16

enum loop_source {
	SOURCE_SIGNAL,
	SOURCE_DRAIN,
	SOURCE_INTERVAL,
	SOURCE_DURATION,
	SOURCE_TARGET,
	SOURCE_COUNT
};

struct loop {
	int epoll_fd;
	int fds[SOURCE_COUNT];	/* SOURCE_TARGET is borrowed */
	uint64_t interval_ns;
	uint64_t duration_ns;
	unsigned int empty_drains;
	bool is_idle;
	bool ready[SOURCE_COUNT];
};

static int watch(struct loop *loop, enum loop_source source, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	loop->fds[source] = fd;
	if (fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return 0;
}

static int set_timer(int fd, uint64_t first_ns, uint64_t period_ns)
{
	struct itimerspec spec = {
		.it_value = { (time_t)(first_ns / NS_PER_S), (long)(first_ns % NS_PER_S) },
		.it_interval = { (time_t)(period_ns / NS_PER_S), (long)(period_ns % NS_PER_S) },
	};

	return timerfd_settime(fd, 0, &spec, NULL) ? -errno : 0;
}

static int watch_timer(struct loop *loop, enum loop_source source)
{
	return watch(loop, source, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static int watch_signals(struct loop *loop)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return -errno;
	return watch(loop, SOURCE_SIGNAL, signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

struct loop *loop__new(uint64_t interval_ns, uint64_t duration_ns)
{
	struct loop *loop;
	int err, i;

	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return NULL;
	for (i = 0; i < SOURCE_COUNT; i++)
		loop->fds[i] = -1;
	loop->interval_ns = interval_ns;
	loop->duration_ns = duration_ns;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = loop->epoll_fd < 0 ? -errno : watch_signals(loop);
	for (i = SOURCE_DRAIN; !err && i <= SOURCE_DURATION; i++)
		err = watch_timer(loop, (enum loop_source)i);
	if (err) {
		loop__free(loop);
		errno = -err;
		return NULL;
	}
	return loop;
}

void loop__free(struct loop *loop)
{
	int i;

	if (!loop)
		return;
	for (i = 0; i < SOURCE_TARGET; i++)
		if (loop->fds[i] >= 0)
			close(loop->fds[i]);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop);
}

static int start(struct loop *loop, struct collector *collector)
{
	int err;

	err = watch(loop, SOURCE_TARGET, collector__pidfd(collector));
	if (!err)
		err = set_timer(loop->fds[SOURCE_DRAIN], DRAIN_BUSY_NS, DRAIN_BUSY_NS);
	if (!err)
		err = set_timer(loop->fds[SOURCE_INTERVAL], loop->interval_ns, loop->interval_ns);
	if (!err && loop->duration_ns)
		err = set_timer(loop->fds[SOURCE_DURATION], loop->duration_ns, 0);
	return err;
}

static int wait_ready(struct loop *loop)
{
	struct epoll_event events[SOURCE_COUNT];
	uint64_t expirations;
	int count, i;

	for (i = 0; i < SOURCE_COUNT; i++)
		loop->ready[i] = false;
	count = epoll_wait(loop->epoll_fd, events, SOURCE_COUNT, -1);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < count; i++) {
		enum loop_source source = events[i].data.u32;

		loop->ready[source] = true;
		if ((source == SOURCE_DRAIN || source == SOURCE_INTERVAL) &&
		    read(loop->fds[source], &expirations, sizeof(expirations)) < 0)
			loop->ready[source] = false;
	}
	return 0;
}

static int drain(struct loop *loop, struct collector *collector)
{
	long drained = collector__drain(collector);
	bool is_idle;
	uint64_t period_ns;

	if (drained < 0)
		return (int)drained;
	loop->empty_drains = drained ? 0 : loop->empty_drains + 1;
	is_idle = loop->empty_drains >= IDLE_AFTER_DRAINS;
	if (is_idle == loop->is_idle)
		return 0;
	loop->is_idle = is_idle;
	period_ns = is_idle ? DRAIN_IDLE_NS : DRAIN_BUSY_NS;
	return set_timer(loop->fds[SOURCE_DRAIN], period_ns, period_ns);
}

static bool is_over(const struct loop *loop, enum loop_end *end)
{
	if (loop->ready[SOURCE_TARGET])
		*end = LOOP_TARGET;
	else if (loop->ready[SOURCE_SIGNAL])
		*end = LOOP_SIGNAL;
	else if (loop->ready[SOURCE_DURATION])
		*end = LOOP_DURATION;
	else
		return false;
	return true;
}

int loop__run(struct loop *loop, struct collector *collector, enum loop_end *end)
{
	int err;

	err = start(loop, collector);
	if (err)
		return log_err(err, "cannot start the timers");
	for (;;) {
		err = wait_ready(loop);
		if (err)
			return log_err(err, "cannot wait for events");
		if (is_over(loop, end))
			return 0;
		if (loop->ready[SOURCE_DRAIN])
			err = drain(loop, collector);
		if (!err && loop->ready[SOURCE_INTERVAL])
			err = collector__tick(collector);
		if (err)
			return err;
	}
}
