// SPDX-License-Identifier: MIT

/** Ends make: printed as `make: *** message.  Stop.`, or `Makefile:7: *** message.  Stop.` */
export class MakeError extends Error {
  override name = 'MakeError';

  constructor(
    message: string,
    /** `Makefile:7`, where the message belongs to a line. */
    readonly where?: string,
  ) {
    super(message);
  }
}
