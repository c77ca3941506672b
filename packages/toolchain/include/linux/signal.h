/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bug.h>
#include <linux/list.h>
#include <linux/signal_types.h>
#include <linux/string.h>

struct task_struct;

typedef struct kernel_siginfo {
	int si_signo;
	int si_errno;
	int si_code;
	int si_int;
	void *si_ptr;
	pid_t si_pid;
	uid_t si_uid;
} kernel_siginfo_t;

#define siginfo_t kernel_siginfo_t
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE -1
#define SEND_SIG_NOINFO ((struct kernel_siginfo *)0)
#define SEND_SIG_PRIV ((struct kernel_siginfo *)1)

static inline void clear_siginfo(kernel_siginfo_t *info)
{
	memset(info, 0, sizeof(*info));
}

static inline void sigemptyset(sigset_t *set)
{
	set->sig[0] = 0;
}

static inline void sigfillset(sigset_t *set)
{
	set->sig[0] = -1UL;
}

static inline void sigaddset(sigset_t *set, int sig)
{
	set->sig[0] |= 1UL << (sig - 1);
}

static inline void sigdelset(sigset_t *set, int sig)
{
	set->sig[0] &= ~(1UL << (sig - 1));
}

static inline int sigismember(sigset_t *set, int sig)
{
	return 1 & (set->sig[0] >> (sig - 1));
}

#define sigmask(sig) (1UL << ((sig) - 1))

static inline void siginitset(sigset_t *set, unsigned long mask)
{
	set->sig[0] = mask;
}

static inline void siginitsetinv(sigset_t *set, unsigned long mask)
{
	set->sig[0] = ~mask;
}

static inline int valid_signal(unsigned long sig)
{
	return sig <= _NSIG;
}

extern int sigprocmask(int how, sigset_t *set, sigset_t *oldset);
extern void kernel_sigaction(int sig, __sighandler_t handler);

static inline void allow_signal(int sig)
{
	kernel_sigaction(sig, (__sighandler_t)2);
}

/* Only what the kernel sends. */
static inline void allow_kernel_signal(int sig)
{
	kernel_sigaction(sig, (__sighandler_t)3);
}

static inline void disallow_signal(int sig)
{
	kernel_sigaction(sig, SIG_IGN);
}
