import { errorName, type NativeSocket } from './native.js';
import { encodeRecords, takenRecords, type RecordPacket } from './records.js';
import type { TransportTrouble } from './transport.js';

/** Octets of records that may wait for a socket whose buffer in the kernel is full. */
const QUEUE = 8 << 20;
/** How long closing waits for them, ms. */
const PATIENCE = 1_000;

/** What is sent by one socket: batches, in order, and those that wait because the kernel has no room. */
export class SocketSender {
  readonly #queue: Uint8Array[] = [];
  #waiting = 0;
  #emptied: (() => void) | undefined;
  sent = 0;
  failed = 0;
  overflowed = 0;

  constructor(
    readonly socket: NativeSocket,
    readonly trouble: (trouble: TransportTrouble) => void,
  ) {}

  send(packets: readonly RecordPacket[]): void {
    if (packets.length === 0 || !this.socket.isOpen) return;
    const records = encodeRecords(packets);
    if (this.#queue.length === 0) {
      const rest = this.#give(records);
      if (rest.length > 0) this.#wait(rest);
    } else if (this.#waiting + records.length > QUEUE) {
      this.overflowed += packets.length;
    } else {
      this.#wait(records);
    }
  }

  /** The socket has room again. */
  resume(): void {
    let first = this.#queue[0];
    while (first !== undefined) {
      const rest = this.#give(first);
      this.#waiting -= first.length - rest.length;
      if (rest.length > 0) {
        this.#queue[0] = rest;
        return;
      }
      this.#queue.shift();
      first = this.#queue[0];
    }
    this.#emptied?.();
  }

  /** When nothing waits any more, or it is no use to wait longer. */
  async drained(): Promise<void> {
    if (this.#queue.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #wait(records: Uint8Array): void {
    this.#queue.push(records);
    this.#waiting += records.length;
  }

  /** What the kernel did not take. */
  #give(records: Uint8Array): Uint8Array {
    const taken = this.socket.send(records);
    const { count, failed } = takenRecords(records, 0, taken, this.socket.family);
    this.sent += count - failed.length;
    this.failed += failed.length;
    for (const { error, ...where } of failed) {
      this.trouble({ doing: 'send', code: errorName(error), ...where });
    }
    return records.subarray(taken);
  }
}
