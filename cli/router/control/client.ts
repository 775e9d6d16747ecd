import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CliError } from '../../exit.js';

export const DEFAULT_SOCKET = '/run/bandex/router.sock';

/** A connection to a router's control socket, for one question at a time. */
export class ControlClient {
  readonly #lines: AsyncIterator<string>;
  #questions = 0;

  /** Throws `CliError` where nobody listens, or we may not ask. */
  static async connect(path: string): Promise<ControlClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => reject(new CliError(explained(path, error))));
    });
    return new ControlClient(socket);
  }

  private constructor(readonly socket: Socket) {
    // What goes wrong ends the lines.
    socket.on('error', () => socket.destroy());
    this.#lines = createInterface({ input: socket, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }

  /** Rows as they come. Events have no end but that of the connection. */
  async *ask<Row>(ask: string, match: readonly string[] = []): AsyncGenerator<Row> {
    const id = ++this.#questions;
    this.socket.write(`${JSON.stringify({ id, ask, match })}\n`);
    for (;;) {
      const next: IteratorResult<string, unknown> = await this.#lines.next();
      if (next.done === true) {
        if (ask === 'events') return;
        throw new CliError('the router has closed the connection');
      }
      const answer = JSON.parse(next.value) as { id?: number; row?: Row; error?: string; end?: number };
      if (answer.id !== undefined && answer.id !== id) continue;
      if (answer.error !== undefined) throw new CliError(`the router says: ${answer.error}`);
      if (answer.end !== undefined) return;
      if (answer.row !== undefined) yield answer.row;
    }
  }

  async all<Row>(ask: string, match: readonly string[] = []): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const row of this.ask<Row>(ask, match)) rows.push(row);
    return rows;
  }

  close(): void {
    this.socket.destroy();
  }
}

function explained(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return `no router listens at ${path}: is \`bandex router\` running, and is this its \`control.socket\` (--socket)?`;
    case 'EACCES':
      return `${path}: only its owner and group may ask; join the group, or use sudo`;
    default:
      return `${path}: ${error.message}`;
  }
}
