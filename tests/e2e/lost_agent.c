// SPDX-License-Identifier: GPL-2.0-only
/*
 * An agent that is lost: it comes up and, when it is asked for a run, makes its
 * kernel panic, or (as built with -DHANG) says nothing any more.
 */
#include <fcntl.h>
#include <unistd.h>

#include "../../src/base/strbuf.h"
#include "../../src/vm/guest/guest.h"

int main(void)
{
	struct strbuf body = {};
	enum channel_type type;
	int fd;

	init_mount();
	fd = init_open_port();
	channel_send_text(fd, CHANNEL_READY, "{\"release\": \"lost\", \"cpus\": 1}");
	while (!channel_receive(fd, -1, &type, &body) && type != CHANNEL_RUN)
		;
#ifdef HANG
	for (;;)
		pause();
#endif
	return 3; /* process 1 must not */
}
