import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { addressOctets, type Family } from './records.js';

/** As `native/raw.c` numbers them. `intercept6` gets what is to be forwarded with RSVP's Router Alert, whole. */
const KINDS = { raw4: 0, raw6: 1, intercept6: 2, udp4: 3, udp6: 4 } as const;
export type SocketKind = keyof typeof KINDS;

const PACKETS = 0;
const WRITABLE = 1;

declare const HANDLE: unique symbol;
interface Handle {
  readonly [HANDLE]: true;
}

interface Addon {
  open(
    kind: number,
    port: number,
    intercepts: boolean,
    receiveBuffer: number,
    callback: (what: number, value: unknown) => void,
  ): Handle;
  close(socket: Handle): void;
  refer(socket: Handle, keepsAlive: boolean): void;
  send(socket: Handle, records: Uint8Array): number;
  join(socket: Handle, group: Uint8Array, networkInterface: number, joins: boolean): void;
  numbers(socket: Handle): [drops: number, receiveBuffer: number];
}

/** Raw sockets cannot be had here. The message says why, and what to do. */
export class RawSocketError extends Error {
  constructor(
    message: string,
    /** As `EPERM`; undefined where the addon itself is missing. */
    readonly code: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RawSocketError';
  }
}

export interface SocketOptions {
  readonly kind: SocketKind;
  /** UDP: the port to listen at. */
  readonly port?: number;
  /** `raw4`: packets with Router Alert that are addressed to others come here and are not forwarded. */
  readonly intercepts?: boolean;
  /** Octets that may wait in the kernel. */
  readonly receiveBuffer: number;
  /** A batch of records (`decodeRecords`). */
  readonly onBatch: (batch: Uint8Array) => void;
  /** There is room again after a `send` that did not take everything. */
  readonly onWritable: () => void;
  /** Receiving failed; the socket goes on. */
  readonly onError: (code: string) => void;
}

/** A socket of the addon. It keeps the process alive until it is closed, unless `unref` was called. */
export class NativeSocket {
  readonly #addon: Addon;
  readonly #handle: Handle;
  readonly family: Family;
  #isOpen = true;

  constructor(options: SocketOptions) {
    this.#addon = loadAddon();
    this.family = options.kind.endsWith('4') ? 4 : 6;
    try {
      this.#handle = this.#addon.open(
        KINDS[options.kind],
        options.port ?? 0,
        options.intercepts ?? false,
        options.receiveBuffer,
        (what, value) => {
          if (!this.#isOpen) return;
          if (what === PACKETS) options.onBatch(value as Uint8Array);
          else if (what === WRITABLE) options.onWritable();
          else options.onError(errorName(value as number));
        },
      );
    } catch (error) {
      throw explained(error, options);
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How many octets of `records` were taken (`encodeRecords`). Fewer than all: wait for `onWritable`. */
  send(records: Uint8Array): number {
    return this.#addon.send(this.#handle, records);
  }

  /** Throws as the kernel refuses: `ENODEV`, `ENOBUFS` (too many groups), `EADDRINUSE` (is a member). */
  join(group: string, networkInterface: number): void {
    this.#addon.join(this.#handle, addressOctets(group), networkInterface, true);
  }

  leave(group: string, networkInterface: number): void {
    this.#addon.join(this.#handle, addressOctets(group), networkInterface, false);
  }

  ref(): void {
    this.#addon.refer(this.#handle, true);
  }

  unref(): void {
    this.#addon.refer(this.#handle, false);
  }

  /** `dropped`: packets that the kernel threw away because the receive buffer was full. */
  numbers(): { readonly dropped: number; readonly receiveBuffer: number } {
    if (!this.#isOpen) return { dropped: 0, receiveBuffer: 0 };
    const [dropped, receiveBuffer] = this.#addon.numbers(this.#handle);
    return { dropped, receiveBuffer };
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#addon.close(this.#handle);
  }
}

/** `EPERM` of the number in a record. */
export function errorName(errno: number): string {
  return getSystemErrorName(-errno);
}

/** As built by `native/install.js`; found from `dist/rsvp/io/`. */
const ADDON = fileURLToPath(new URL('../../../rsvp/io/native/build/Release/raw.node', import.meta.url));

let loaded: Addon | undefined;

function loadAddon(): Addon {
  if (process.platform !== 'linux') {
    throw new RawSocketError(
      `raw sockets for RSVP are made for Linux, this is ${process.platform}`,
      undefined,
    );
  }
  try {
    return (loaded ??= createRequire(import.meta.url)(ADDON) as Addon);
  } catch (error) {
    throw new RawSocketError(
      `the raw-socket addon is not built (${ADDON}); with a C compiler, make and Python installed: ` +
        '`npm rebuild bandex`, or `npm run install` in a checkout',
      undefined,
      { cause: error },
    );
  }
}

function explained(error: unknown, { kind, port }: SocketOptions): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const what = kind.startsWith('udp') ? `UDP port ${port ?? 0}` : 'a raw socket of protocol 46';
  const advice = error.code === 'EPERM' || error.code === 'EACCES' ? `: ${PRIVILEGE}` : '';
  return new RawSocketError(`${what} cannot be opened, ${error.message}${advice}`, error.code, {
    cause: error,
  });
}

const PRIVILEGE =
  'CAP_NET_RAW is needed (CAP_NET_ADMIN as well to set up traffic control); ' +
  'run as root, or with `AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN` in a systemd unit, or ' +
  '`setcap cap_net_raw,cap_net_admin+ep` on a copy of node kept for this, or try it out in `bandex lab`';
