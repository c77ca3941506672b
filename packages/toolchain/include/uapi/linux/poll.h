/* SPDX-License-Identifier: MIT */
#pragma once

#define POLLIN 0x0001
#define POLLPRI 0x0002
#define POLLOUT 0x0004
#define POLLERR 0x0008
#define POLLHUP 0x0010
#define POLLNVAL 0x0020
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200
#define POLLRDHUP 0x2000
#define EPOLLIN ((__force __poll_t)POLLIN)
#define EPOLLPRI ((__force __poll_t)POLLPRI)
#define EPOLLOUT ((__force __poll_t)POLLOUT)
#define EPOLLERR ((__force __poll_t)POLLERR)
#define EPOLLHUP ((__force __poll_t)POLLHUP)
#define EPOLLNVAL ((__force __poll_t)POLLNVAL)
#define EPOLLRDNORM ((__force __poll_t)POLLRDNORM)
#define EPOLLRDBAND ((__force __poll_t)POLLRDBAND)
#define EPOLLWRNORM ((__force __poll_t)POLLWRNORM)
#define EPOLLWRBAND ((__force __poll_t)POLLWRBAND)
#define EPOLLRDHUP ((__force __poll_t)POLLRDHUP)

struct pollfd {
	int fd;
	short events;
	short revents;
};
