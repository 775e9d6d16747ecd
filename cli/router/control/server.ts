import { chmodSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { matchesAll } from './match.js';

/** What can be asked for; a promise where it is read from somewhere else. */
export type Rows = Iterable<object> | Promise<Iterable<object>>;

export interface ControlOptions {
  readonly path: string;
  readonly clients: number;
  /** By what is asked; `events` is the server's own. */
  readonly sources: Readonly<Record<string, () => Rows>>;
  readonly failed: (error: unknown) => void;
  /** Octets that may wait for a client. */
  readonly unsent?: number;
  /** How long a client may take nothing of its answer, milliseconds. */
  readonly patience?: number;
}

/** Owner and group, and nobody else: whoever may ask may see who has paid for what. */
const MODE = 0o660;
const UNSENT = 1 << 20;
const PATIENCE = 10_000;
const LONGEST_LINE = 1 << 16;

interface Client {
  readonly socket: Socket;
  /** Subscriptions by the id of their question. */
  readonly events: Map<unknown, readonly string[]>;
}

interface Question {
  readonly id: unknown;
  readonly ask: unknown;
  readonly match: readonly string[];
}

/**
 * The router's control socket; CONTROL.md says what is spoken there. No client can make the router hold more than `unsent`
 * octets beside the rows of one answer: whoever reads too slowly loses its subscription, or its connection.
 */
export class ControlServer {
  readonly #server: Server;
  readonly #clients = new Set<Client>();

  constructor(private readonly options: ControlOptions) {
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = options.clients;
  }

  /** Throws where another router listens there; a socket that nobody listens at is removed. */
  async listen(): Promise<void> {
    const { path } = this.options;
    if (await isListening(path)) throw new Error(`${path}: another router listens there`);
    removeSocket(path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    chmodSync(path, MODE);
    this.#server.on('error', (error) => this.options.failed(error));
  }

  /** Is anybody interested in events? */
  get isWatched(): boolean {
    for (const { events } of this.#clients) if (events.size > 0) return true;
    return false;
  }

  publish(event: object): void {
    for (const client of this.#clients) {
      for (const [id, wanted] of client.events) {
        if (!matchesAll(event, wanted)) continue;
        const { socket } = client;
        if (socket.writableLength <= (this.options.unsent ?? UNSENT)) send(socket, { id, row: event });
        else {
          client.events.delete(id);
          send(socket, {
            id,
            error: `too slow: ${socket.writableLength} octets are not read; subscription ended`,
          });
        }
      }
    }
  }

  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const client: Client = { socket, events: new Map() };
    this.#clients.add(client);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#clients.delete(client));
    this.#talk(client).catch((error: unknown) => {
      this.options.failed(error);
      socket.destroy();
    });
  }

  /** One question after the other: the next is read when the one before is answered. */
  async #talk(client: Client): Promise<void> {
    const { socket } = client;
    for await (const line of lines(socket)) {
      if (line === undefined) {
        send(socket, { error: `a line is longer than ${LONGEST_LINE} characters` });
        socket.end();
        return;
      }
      if (line.trim() === '') continue;
      const question = readQuestion(line);
      if (typeof question === 'string') send(socket, { error: question });
      else await this.#answer(client, question);
      if (socket.writableLength > (this.options.unsent ?? UNSENT) && !(await this.#drained(socket))) return;
    }
  }

  async #answer(client: Client, { id, ask, match }: Question): Promise<void> {
    const { sources, failed } = this.options;
    const { socket } = client;
    if (ask === 'events') {
      client.events.set(id, match);
      return;
    }
    const source = typeof ask === 'string' && Object.hasOwn(sources, ask) ? sources[ask] : undefined;
    if (source === undefined) {
      const known = [...Object.keys(sources), 'events'].join(', ');
      send(socket, { id, error: `\`ask\` is none of ${known}` });
      return;
    }
    let count = 0;
    try {
      for (const row of await source()) {
        if (!matchesAll(row, match)) continue;
        count++;
        if (!send(socket, { id, row }) && !(await this.#drained(socket))) return;
      }
    } catch (error) {
      failed(error);
      send(socket, { id, error: 'the router could not say; its log says why' });
      return;
    }
    send(socket, { id, end: count });
  }

  /** Waits until the client has read; false where it does not. */
  async #drained(socket: Socket): Promise<boolean> {
    if (socket.destroyed) return false;
    const { patience = PATIENCE } = this.options;
    return new Promise((resolve) => {
      const settle = (isDrained: boolean): void => {
        clearTimeout(timer);
        socket.off('drain', drained).off('close', closed);
        if (!isDrained) socket.destroy();
        resolve(isDrained);
      };
      const drained = (): void => settle(true);
      const closed = (): void => settle(false);
      const timer = setTimeout(closed, patience);
      socket.once('drain', drained).once('close', closed);
    });
  }
}

function send(socket: Socket, value: object): boolean {
  return socket.destroyed || socket.write(`${JSON.stringify(value)}\n`);
}

function readQuestion(line: string): Question | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'expected a line of JSON, as {"id":1,"ask":"sessions"}';
  }
  if (typeof value !== 'object' || value === null) return 'expected an object, as {"id":1,"ask":"sessions"}';
  const { id, ask, match = [] } = value as Readonly<Record<string, unknown>>;
  if (!Array.isArray(match) || match.length > 100 || !match.every((one) => typeof one === 'string'))
    return 'expected `match` as a list of texts';
  return { id, ask, match };
}

/** Lines as they come, read no faster than they are taken; undefined: one is too long. */
async function* lines(socket: Socket): AsyncGenerator<string | undefined> {
  let rest = '';
  socket.setEncoding('utf8');
  for await (const chunk of socket as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.map((part) => (part.length > LONGEST_LINE ? undefined : part));
    if (rest.length > LONGEST_LINE) yield undefined;
  }
}

async function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A file that is no socket stays, and `listen` says so. */
function removeSocket(path: string): void {
  try {
    if (statSync(path).isSocket()) unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
