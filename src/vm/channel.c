// SPDX-License-Identifier: GPL-2.0-only
/* Messages between vrt and its agent; see channel.h. */
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../base/strbuf.h"

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, -1);
			continue;
		}
		if (n <= 0)
			return n ? -errno : -EPIPE;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int channel_send(int fd, enum channel_type type, const void *body, size_t len)
{
	struct channel_header h = { CHANNEL_MAGIC, type, (u32)len };
	int err;

	VRT_ASSERT(len <= CHANNEL_MAX_BODY);
	err = write_all(fd, &h, sizeof(h));
	return err || !len ? err : write_all(fd, body, len);
}

int channel_send_text(int fd, enum channel_type type, const char *text)
{
	return channel_send(fd, type, text, strlen(text));
}

/* The timeout is for the beginning of something: what has begun will come. */
static int read_all(int fd, void *data, size_t len, int timeout_ms)
{
	char *p = data;

	while (len) {
		int ready = poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, timeout_ms);
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready ? -errno : -ETIMEDOUT;
		n = read(fd, p, len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n && errno != ECONNRESET ? -errno : -EPIPE;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int channel_receive(int fd, int timeout_ms, enum channel_type *type, struct strbuf *body)
{
	struct channel_header h;
	char piece[4096];
	int err = read_all(fd, &h, sizeof(h), timeout_ms);

	if (err)
		return err;
	if (h.magic != CHANNEL_MAGIC || h.len > CHANNEL_MAX_BODY)
		return -EPROTO;
	*type = h.type;
	strbuf_reset(body);
	for (u32 left = h.len; left;) {
		u32 n = min(left, (u32)sizeof(piece));

		err = read_all(fd, piece, n, timeout_ms);
		if (err)
			return err;
		strbuf_add(body, piece, n);
		left -= n;
	}
	return 0;
}
