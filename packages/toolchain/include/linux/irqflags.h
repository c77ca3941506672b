/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/typecheck.h>
#include <linux/types.h>

/* Interrupts of the running CPU; the flags word is opaque. */
extern unsigned long __pagewalk_irq_save(void);
extern void __pagewalk_irq_restore(unsigned long flags);
extern void __pagewalk_irq_disable(void);
extern void __pagewalk_irq_enable(void);
extern bool __pagewalk_irqs_disabled(void);

#define local_irq_enable() __pagewalk_irq_enable()
#define local_irq_disable() __pagewalk_irq_disable()
#define local_irq_save(flags) \
	do { \
		typecheck(unsigned long, flags); \
		flags = __pagewalk_irq_save(); \
	} while (0)
#define local_irq_restore(flags) \
	do { \
		typecheck(unsigned long, flags); \
		__pagewalk_irq_restore(flags); \
	} while (0)
#define local_save_flags(flags) ((flags) = __pagewalk_irqs_disabled())
#define irqs_disabled() __pagewalk_irqs_disabled()
#define irqs_disabled_flags(flags) ((flags) != 0)
#define raw_local_irq_save local_irq_save
#define raw_local_irq_restore local_irq_restore
#define raw_local_irq_disable local_irq_disable
#define raw_local_irq_enable local_irq_enable
