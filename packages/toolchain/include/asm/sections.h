/* SPDX-License-Identifier: MIT */
#pragma once

extern char _text[], _stext[], _etext[], _sdata[], _edata[], __bss_start[], __bss_stop[], _end[];
