import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PdpServer } from '../../cops/io/index.js';
import type { Decision, EndOfRequest, PdpReport, PdpRequest } from '../../cops/index.js';
import { rsvpObjects } from '../../cops/index.js';
import type { Ran } from './run.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** `bandex` in a process of its own, so that a server in this one can answer it. */
export function runBandex(args: readonly string[], input = ''): Promise<Ran> {
  const child = startBandex(args);
  child.stdin?.end(input);
  return ended(child);
}

export function startBandex(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, NO_COLOR: '1' } });
}

/** All that a process says until it ends. */
export function ended(child: ChildProcess): Promise<Ran> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, out, err, lines: out.split('\n').slice(0, -1) }));
  });
}

/** What a recording PDP has seen, in order. */
export type Seen =
  | {
      readonly kind: 'REQ';
      readonly handle: string;
      readonly rType: number;
      readonly mType: number;
      readonly in: string | undefined;
      readonly out: string | undefined;
      readonly classes: string;
    }
  | { readonly kind: 'RPT'; readonly handle: string; readonly type: string; readonly solicited: boolean }
  | { readonly kind: 'DRQ'; readonly handle: string; readonly reasonCode: number };

/** A PDP that writes down what it is asked and told. */
export class RecordingPdp {
  readonly seen: Seen[] = [];
  readonly requests: PdpRequest[] = [];
  readonly server: PdpServer;
  port = 0;

  constructor(decide: (request: PdpRequest) => Decision = () => ({ command: 'install' })) {
    this.server = new PdpServer({
      decide: (request) => {
        this.requests.push(request);
        const { handle, rType, mType, inInterface, outInterface, clientSi } = request;
        const classes = clientSi
          .flatMap(({ data }) => rsvpObjects(data).map((object) => object.class))
          .join(' ');
        this.seen.push({
          kind: 'REQ',
          handle,
          rType,
          mType,
          in: place(inInterface),
          out: place(outInterface),
          classes,
        });
        return decide(request);
      },
      reported: ({ handle }: PdpRequest, { type, solicited }: PdpReport) =>
        this.seen.push({ kind: 'RPT', handle, type, solicited }),
      ended: ({ handle }: PdpRequest, end: EndOfRequest) => {
        if (end.kind === 'deleted') this.seen.push({ kind: 'DRQ', handle, reasonCode: end.reasonCode });
      },
    });
  }

  async listen(): Promise<this> {
    this.port = (await this.server.listen({ port: 0, host: '127.0.0.1' })).port;
    return this;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

function place(at: { address: string; ifindex: number } | undefined): string | undefined {
  return at === undefined ? undefined : `${at.address}=${at.ifindex}`;
}
