/**
 * What is wrong with octets that a peer sent. The codes are closed: each layer above turns them, in one
 * table, into its protocol's own error (ERROR_SPEC, COPS Error, RFC 2750 PE error).
 */
export type WireErrorCode =
  /** Fewer octets than the format asks for. */
  | 'truncated'
  /** A length field that cannot be: too small, not a multiple of four, beyond its container. */
  | 'length'
  /** A field with a value that the format excludes. */
  | 'value'
  /** A protocol version that is not ours. */
  | 'version'
  /** The checksum does not match. */
  | 'checksum'
  /** Nested deeper, or more of something, than is sane. */
  | 'limit';

export interface WireErrorDetails {
  /** Octets from the start of the message. */
  readonly offset: number;
  /** The object or header at fault, with the RFC's name. */
  readonly object: string;
  /** What should have stood there. */
  readonly expected: string;
  /** The rule that is broken, as `RFC 2205 3.1.2`. */
  readonly rfc: string;
}

export class WireError extends Error implements WireErrorDetails {
  readonly offset: number;
  readonly object: string;
  readonly expected: string;
  readonly rfc: string;

  constructor(
    readonly code: WireErrorCode,
    readonly problem: string,
    details: WireErrorDetails,
  ) {
    super(
      `${details.object} at octet ${details.offset}: ${problem}, expected ${details.expected} (${details.rfc})`,
    );
    this.name = 'WireError';
    this.offset = details.offset;
    this.object = details.object;
    this.expected = details.expected;
    this.rfc = details.rfc;
  }

  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      problem: this.problem,
      offset: this.offset,
      object: this.object,
      expected: this.expected,
      rfc: this.rfc,
    };
  }
}

/** Thrown where a value is read from a form that people or programs write: JSON, a hex string. */
export class FormError extends Error {
  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path === '' ? 'input' : path}: ${problem}`);
    this.name = 'FormError';
  }

  /** The same trouble, seen from one level further out. */
  within(outer: string): FormError {
    const inner = this.path === '' || this.path.startsWith('[') ? this.path : `.${this.path}`;
    return new FormError(`${outer}${inner}`, this.problem);
  }
}
