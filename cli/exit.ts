/**
 * Exit codes of every `bandex` command. A refusal is an answer, not a failure, and has a code of
 * its own, so that a script can tell "the policy said no" from "it did not work".
 */
export const EXIT = {
  ok: 0,
  /** It did not work: a file, a socket, a peer. */
  failure: 1,
  /** It worked and the answer is no: refused, not verified, an expectation not met. */
  refused: 2,
  /** The input is not well-formed: octets, an assertion, a configuration. */
  invalid: 3,
  /** The command line is wrong. */
  usage: 64,
} as const;

/** An error whose message is meant for the user as it stands, without a stack. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failure,
  ) {
    super(message);
    this.name = 'CliError';
  }
}
