/* SPDX-License-Identifier: MIT */
#pragma once

/* Runs the handlers of a line, for a driver whose own line stands for several; with interrupts off, or _safe. */
extern int generic_handle_irq(unsigned int irq);
extern int generic_handle_irq_safe(unsigned int irq);
