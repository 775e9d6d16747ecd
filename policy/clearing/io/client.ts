import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { PrivateKey } from '../../keynote/index.js';
import type { DepositAnswer, DepositRequest, Hold, HoldAnswer } from '../deposit.js';
import type { Assertions } from '../deposit.js';
import type { AuditReport } from '../audit.js';
import { signRequest } from '../request-signature.js';
import type { Statement } from '../statement.js';
import type { AccountView, BatchView } from '../views.js';

export interface ClearingClientOptions {
  /** `https://clearing.example:8443`; `http:` as well, for what is on this machine. */
  readonly url: string;
  /** Signs each request. Left out: the certificate says who asks. */
  readonly key?: PrivateKey | undefined;
  /** Who may sign the server's certificate, PEM; left out, whom the system trusts. */
  readonly ca?: string | Buffer | undefined;
  /** Our certificate and its key, PEM. */
  readonly certificate?: string | Buffer | undefined;
  readonly tlsKey?: string | Buffer | undefined;
  /** OpenSSL's cipher list. */
  readonly ciphers?: string | undefined;
  /** For an answer, milliseconds. Default 60000. */
  readonly timeout?: number | undefined;
  /** Milliseconds since 1970; it is signed. */
  readonly clock?: (() => number) | undefined;
}

/** The clearing centre answered that it will not: the same request will not do better. */
export class ClearingRefused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ClearingRefused';
  }
}

/** No answer, or one that says to try again later: whether it was done is not known. */
export class ClearingUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClearingUnavailable';
  }
}

const TIMEOUT = 60_000;
const MOST_OCTETS = 64 << 20;

/** Speaks to a clearing centre, over connections that are kept. */
export class ClearingClient {
  readonly #base: URL;
  readonly #agent: Agent | HttpAgent;

  constructor(private readonly options: ClearingClientOptions) {
    this.#base = new URL(options.url);
    const { ca, certificate: cert, tlsKey: key, ciphers } = options;
    const isPlain = this.#base.protocol === 'http:';
    if (!isPlain && this.#base.protocol !== 'https:')
      throw new RangeError(`url: \`${options.url}\` is not https:`);
    this.#agent = isPlain
      ? new HttpAgent({ keepAlive: true })
      : new Agent({ keepAlive: true, ca, cert, key, ciphers });
  }

  async deposit(request: DepositRequest, account?: string): Promise<readonly DepositAnswer[]> {
    const { answers } = await this.ask<{ answers: DepositAnswer[] }>(
      'POST',
      `/v1/deposits${query({ account })}`,
      request,
    );
    return answers;
  }

  async hold(request: { assertions: Assertions; holds: readonly Hold[] }): Promise<readonly HoldAnswer[]> {
    const { answers } = await this.ask<{ answers: HoldAnswer[] }>('POST', '/v1/holds', request);
    return answers;
  }

  async release(id: string): Promise<boolean> {
    const path = `/v1/holds/${encodeURIComponent(id)}`;
    return (await this.ask<{ released: boolean }>('DELETE', path)).released;
  }

  async accounts(): Promise<readonly AccountView[]> {
    return (await this.ask<{ accounts: AccountView[] }>('GET', '/v1/accounts')).accounts;
  }

  /** Times are ISO 8601. */
  statement(
    account: string,
    of: { currency?: string; from?: string; to?: string; after?: number; limit?: number } = {},
  ): Promise<Statement> {
    return this.ask('GET', `/v1/accounts/${encodeURIComponent(account)}/statement${query(of)}`);
  }

  async settlements(): Promise<readonly BatchView[]> {
    return (await this.ask<{ settlements: BatchView[] }>('GET', '/v1/settlements')).settlements;
  }

  async settle(): Promise<readonly BatchView[]> {
    return (await this.ask<{ settlements: BatchView[] }>('POST', '/v1/settlements')).settlements;
  }

  paid(batch: number): Promise<BatchView> {
    return this.ask('POST', `/v1/settlements/${batch}/paid`);
  }

  audit(verify = false): Promise<AuditReport> {
    return this.ask('GET', `/v1/audit?verify=${verify}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Throws `ClearingRefused`, or `ClearingUnavailable`. */
  async ask<Answer>(method: string, path: string, content?: unknown): Promise<Answer> {
    const body = content === undefined ? '' : JSON.stringify(content);
    const { status, text } = await this.#exchange(method, path, body);
    if (status === 200) return parsed(text) as Answer;
    const { message = text.slice(0, 200), where } = (parsedOr(text) ?? {}) as {
      message?: string;
      where?: string;
    };
    const said = `${status} ${message}${where === undefined ? '' : ` (${where})`}`;
    if (status === 408 || status === 429 || status >= 500)
      throw new ClearingUnavailable(`the clearing centre: ${said}`);
    throw new ClearingRefused(status, said);
  }

  #exchange(method: string, path: string, body: string): Promise<{ status: number; text: string }> {
    const { key, clock = Date.now, timeout = TIMEOUT } = this.options;
    const at = new Date(clock()).toISOString();
    const authorization =
      key === undefined ? {} : { authorization: signRequest({ method, path, body, at }, key) };
    const headers = {
      ...authorization,
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
      'content-length': Buffer.byteLength(body),
    };
    const send = this.#base.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(new ClearingUnavailable(`${this.#base.host}: ${error.message}`, { cause: error }));
      const signal = AbortSignal.timeout(timeout);
      const request = send(
        new URL(path, this.#base),
        { method, headers, agent: this.#agent, signal },
        (response) => {
          const chunks: Buffer[] = [];
          let octets = 0;
          response.on('data', (chunk: Buffer) => {
            octets += chunk.length;
            if (octets > MOST_OCTETS) response.destroy(new Error('the answer is too large'));
            else chunks.push(chunk);
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          );
          response.on('error', fail);
          response.on('close', () => fail(new Error('the connection was closed within the answer')));
        },
      );
      request.on('error', (error) =>
        fail(signal.aborted ? new Error(`no answer within ${timeout / 1000} seconds`) : error),
      );
      request.end(body);
    });
  }
}

function query(of: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(of).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? '' : `?${given.join('&')}`;
}

function parsed(text: string): unknown {
  const value = parsedOr(text);
  if (value === undefined)
    throw new ClearingUnavailable('the clearing centre answered with something that is no JSON');
  return value;
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
