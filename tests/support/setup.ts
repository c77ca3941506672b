// SPDX-License-Identifier: MIT
/** For every test: a mistake of the kernel's own is thrown where it is, in place of the panic that users get. */

import { internalErrors } from '@pagewalk/kernel/kernel/internal_error';

internalErrors.action = 'throw';
