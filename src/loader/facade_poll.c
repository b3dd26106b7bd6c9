// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll for descriptors of BPF objects, which are memfds and so refused by the
 * real one. Members are kept in a list, in the order in which they were added;
 * other descriptors stay the real epoll's.
 */
#include "facade.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "../base/alloc.h"
#include "../bpf/map.h"

struct member {
	struct list_head node;
	int epfd, fd;
	struct epoll_event event;
};

static struct list_head members = LIST_HEAD_INIT(members);

static struct member *find_member(int epfd, int fd)
{
	struct member *m;

	list_for_each_entry(m, &members, node)
		if (m->epfd == epfd && m->fd == fd)
			return m;
	return NULL;
}

static void drop(struct member *m)
{
	list_del_init(&m->node);
	free(m);
}

static int add(int epfd, int fd, const struct epoll_event *event)
{
	struct member *m;

	if (find_member(epfd, fd)) {
		errno = EEXIST;
		return -1;
	}
	m = xcalloc(1, sizeof(*m));
	*m = (struct member){ .epfd = epfd, .fd = fd, .event = *event };
	list_add_tail(&m->node, &members);
	return 0;
}

int facade_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct member *m;

	if (facade_is_host() || !bpf_fd_is_ours(fd))
		return epoll_ctl(epfd, op, fd, event);
	if (op == EPOLL_CTL_ADD)
		return add(epfd, fd, event);
	m = find_member(epfd, fd);
	if (!m) {
		errno = ENOENT;
		return -1;
	}
	if (op == EPOLL_CTL_MOD)
		m->event = *event;
	else
		drop(m);
	return 0;
}

int facade_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
	bool has_members = false;
	struct member *m;
	int nr = 0, ret;

	list_for_each_entry(m, &members, node) {
		if (m->epfd != epfd)
			continue;
		has_members = true;
		/* a user ring buffer (EPOLLOUT) is never full for long */
		if (nr < max && (m->event.events & EPOLLOUT || bpf_map_readable(m->fd))) {
			events[nr] = m->event;
			events[nr++].events &= EPOLLIN | EPOLLOUT;
		}
	}
	if (nr == max)
		return nr;
	ret = epoll_wait(epfd, events + nr, max - nr, has_members ? 0 : timeout);
	return ret < 0 ? ret : nr + ret;
}

void facade_poll_closing(int fd)
{
	struct member *m, *n;

	list_for_each_entry_safe(m, n, &members, node)
		if (m->epfd == fd || m->fd == fd)
			drop(m);
}
