// SPDX-License-Identifier: MIT
/*
 * An interrupt and its two halves. A timer plays the keyboard: every 20 ms it puts the code of a key into a register
 * and raises the interrupt line. The first half runs at once, with interrupts off, and only saves the code; the second
 * half, a thread of the kernel, may take its time and sleep. cat /proc/interrupts counts, ps -e shows the thread.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kfifo.h>
#include <linux/ktime.h>
#include <linux/module.h>

#define KEYBOARD_IRQ 12
#define KEY_INTERVAL ms_to_ktime(20)

static char *keys = "hello";
module_param(keys, charp, 0444);
MODULE_PARM_DESC(keys, "what is typed");

/* The hardware. */
static struct hrtimer finger;
static unsigned char key_register;
static unsigned int typed;

static enum hrtimer_restart press_key(struct hrtimer *timer)
{
	if (!keys[typed])
		return HRTIMER_NORESTART;
	key_register = keys[typed++];
	generic_handle_irq(KEYBOARD_IRQ);
	hrtimer_forward_now(timer, KEY_INTERVAL);
	return HRTIMER_RESTART;
}

/* The driver. One writes and one reads, so the fifo needs no lock. */
static DEFINE_KFIFO(pressed, unsigned char, 16);
static unsigned int interrupts, lost;

static irqreturn_t keyboard_interrupt(int irq, void *device)
{
	interrupts++;
	if (!kfifo_put(&pressed, key_register))
		lost++;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t keyboard_thread(int irq, void *device)
{
	unsigned char key;

	while (kfifo_get(&pressed, &key))
		pr_info("key '%c' (0x%02x), handled by %s\n", key, key, current->comm);
	return IRQ_HANDLED;
}

static int __init keyboard_init(void)
{
	int error = request_threaded_irq(KEYBOARD_IRQ, keyboard_interrupt, keyboard_thread, 0, "keyboard", &pressed);

	if (error)
		return error;
	hrtimer_init(&finger, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	finger.function = press_key;
	hrtimer_start(&finger, KEY_INTERVAL, HRTIMER_MODE_REL);
	return 0;
}

static void __exit keyboard_exit(void)
{
	hrtimer_cancel(&finger);
	free_irq(KEYBOARD_IRQ, &pressed);
	pr_info("%u interrupts, %u keys lost\n", interrupts, lost);
}

module_init(keyboard_init);
module_exit(keyboard_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("An interrupt handler and its thread");
