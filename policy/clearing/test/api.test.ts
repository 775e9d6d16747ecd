import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { parsePrincipal } from '../../keynote/index.js';
import { signRequest } from '../index.js';
import type { KnownAccount } from '../index.js';
import { ClearingClient, ClearingRefused, ClearingServer, ClearingUnavailable } from '../io/index.js';
import type { ClearingClientOptions } from '../io/index.js';
import { claimOf, ACCOUNTS, dump, KEYS, NOW, openCentre, payment, principal, requestOf } from './centre.js';
import type { Opened } from './centre.js';
import { Authority, WEAK } from './certificates.js';
import type { Identity } from './certificates.js';

const HOST = '127.0.0.1';

describe('The clearing centre over HTTPS', () => {
  let authority: Authority;
  let serverIdentity: Identity;
  let nickIdentity: Identity;
  let opened: Opened;
  let server: ClearingServer;
  let port: number;
  let now = NOW;
  const clients: ClearingClient[] = [];

  before(async () => {
    authority = new Authority();
    serverIdentity = authority.issue('csc', [{ type: 7, ip: HOST }]);
    nickIdentity = authority.issue('nick');
    const accounts = ACCOUNTS.map((one): KnownAccount =>
      one.id === 'nick' ? { ...one, keys: [...one.keys, nickIdentity.principal] } : one,
    );
    opened = await openCentre(':memory:', { accounts });
    server = new ClearingServer({
      centre: opened.centre,
      operators: [parsePrincipal(principal('route'))],
      tls: { key: serverIdentity.key, cert: serverIdentity.cert, ca: authority.cert, ciphers: WEAK },
      limits: { body: 1 << 20, headersTimeout: 400, requestTimeout: 800 },
      clock: () => now,
    });
    ({ port } = await server.listen(HOST, 0));
  });
  beforeEach(() => (now = NOW));
  after(async () => {
    for (const client of clients) client.close();
    await server.close();
    await opened.centre.close();
  });

  function client(options: Partial<ClearingClientOptions> = {}): ClearingClient {
    const url = `https://${HOST}:${port}`;
    const made = new ClearingClient({ url, ca: authority.cert, ciphers: WEAK, clock: () => now, ...options });
    clients.push(made);
    return made;
  }
  const by = (person: keyof typeof KEYS, more = {}): ClearingClient => client({ key: KEYS[person], ...more });
  const withCertificate = (identity: Identity): ClearingClient =>
    client({ certificate: identity.cert, tlsKey: identity.key });

  /** Runs it and checks that it was answered with this, and that no table has changed. */
  async function refusedWith(status: number, message: RegExp, ask: () => Promise<unknown>): Promise<void> {
    const before = await dump(opened.store);
    await assert.rejects(ask, (error: Error) => {
      assert.match(error.message, message);
      assert.ok(error instanceof ClearingRefused, String(error));
      assert.equal(error.status, status, error.message);
      return true;
    });
    assert.equal(await dump(opened.store), before);
  }

  it('takes a deposit from whoever shows a certificate with a key of the account', async () => {
    const [answer] = await withCertificate(nickIdentity).deposit(
      requestOf(payment({ nonce: 'by certificate' })),
    );
    assert.equal(answer?.answer, 'accepted', answer?.reason);
  });

  it('takes a deposit from whoever signs the request with a key of the account', async () => {
    const [answer] = await by('nick').deposit(requestOf(payment({ nonce: 'by signature' })));
    assert.equal(answer?.answer, 'accepted', answer?.reason);
  });

  it('takes an operator at its word about whose deposits they are, and needs that word', async () => {
    const request = requestOf(payment({ nonce: 'by operator' }));
    const [answer] = await by('route').deposit(request, 'nick');
    assert.equal(answer?.answer, 'accepted', answer?.reason);
    await refusedWith(403, /\?account=/, () => by('route').deposit(request));
    await refusedWith(404, /no account `nobody`/, () => by('route').deposit(request, 'nobody'));
  });

  it('refuses certificates: none, of another authority, of a key without an account', async () => {
    const request = requestOf(payment({ nonce: 'never' }));
    await refusedWith(401, /expected a client certificate, or Authorization/, () =>
      client().deposit(request),
    );
    const foreign = new Authority('other authority').issue('nick');
    await refusedWith(401, /certificate is not trusted/, () => withCertificate(foreign).deposit(request));
    const unknown = authority.issue('nick');
    await refusedWith(403, /rsa:[0-9a-f]{16} has no account here/, () =>
      withCertificate(unknown).deposit(request),
    );
  });

  it('refuses keys: without an account, of another account, of an account that is no ISP', async () => {
    const request = requestOf(payment({ nonce: 'never' }));
    await refusedWith(403, /has no account here/, () => by('alice').deposit(request));
    await refusedWith(403, /not one of account nick/, () => by('mallory').deposit(request, 'nick'));
    await refusedWith(403, /martha is a provider's: only ISPs deposit/, () => by('martha').deposit(request));
  });

  it('refuses a signature over another body, method or path, at another time, and by another key', async () => {
    const body = JSON.stringify(requestOf(payment({ nonce: 'never' })));
    const at = new Date(NOW).toISOString();
    const good = { method: 'POST', path: '/v1/deposits', body, at };
    const send = (authorization: string) => () => raw('POST', '/v1/deposits', { authorization }, body);
    const key = KEYS.nick;
    await refusedRaw(
      401,
      /not by the authorizer's key/,
      send(signRequest({ ...good, body: `${body} ` }, key)),
    );
    await refusedRaw(401, /not by the authorizer's key/, send(signRequest({ ...good, method: 'GET' }, key)));
    await refusedRaw(
      401,
      /not by the authorizer's key/,
      send(signRequest({ ...good, path: '/v1/holds' }, key)),
    );
    const late = new Date(NOW - 301_000).toISOString();
    await refusedRaw(
      401,
      /not within 300 seconds of our clock/,
      send(signRequest({ ...good, at: late }, key)),
    );
    const other = signRequest(good, KEYS.mallory).replace(
      /principal="[^"]*"/,
      `principal="${principal('nick')}"`,
    );
    await refusedRaw(401, /not by the authorizer's key/, send(other));
    await refusedRaw(401, /expected Authorization: KeyNote/, send('Basic bmljazpuaWNr'));
  });

  it('answers a replayed request with the receipt that was given, and books nothing', async () => {
    const body = JSON.stringify(requestOf(payment({ nonce: 'replayed' })));
    const at = new Date(NOW).toISOString();
    const authorization = signRequest({ method: 'POST', path: '/v1/deposits', body, at }, KEYS.nick);
    const first = await raw('POST', '/v1/deposits', { authorization }, body);
    assert.match(first, /"answer":"accepted"/);
    const before = await dump(opened.store);
    now += 60_000;
    assert.match(await raw('POST', '/v1/deposits', { authorization }, body), /"answer":"duplicate"/);
    assert.equal(await dump(opened.store), before);
  });

  it('says where a request is malformed', async () => {
    const ask = (content: unknown) => () => by('nick').ask('POST', '/v1/deposits', content);
    const { deposit, assertions } = payment({ nonce: 'never' });
    await refusedWith(400, /expected object.*\(body\)|expected object/i, ask([]));
    await refusedWith(400, /deposits/, ask({ assertions }));
    await refusedWith(
      400,
      /\(deposits\[1\]\.amount\)/,
      ask({ assertions, deposits: [deposit, { ...deposit, amount: 1 }] }),
    );
    await refusedWith(
      400,
      /unrecognized key.*extra/i,
      ask({ assertions, deposits: [{ ...deposit, extra: 1 }] }),
    );
    await refusedWith(400, /at most 1000 deposits/, ask({ assertions, deposits: Array(1001).fill(deposit) }));
    await refusedWith(
      413,
      /more octets than are taken/,
      ask({ assertions: { x: 'x'.repeat(1 << 20) }, deposits: [] }),
    );
    await refusedWith(404, /there is nothing here/, () => by('nick').ask('GET', '/v1/nothing'));
  });

  it('refuses bodies that are no JSON, or would name __proto__', async () => {
    const send =
      (body: string, type = 'application/json') =>
      () => {
        const at = new Date(NOW).toISOString();
        const authorization = signRequest({ method: 'POST', path: '/v1/deposits', body, at }, KEYS.nick);
        return raw('POST', '/v1/deposits', { authorization, 'content-type': type }, body);
      };
    await refusedRaw(400, /JSON/, send('{"assertions":'));
    await refusedRaw(400, /is not valid JSON/, send('{"assertions":{"__proto__":{}},"deposits":[]}'));
    await refusedRaw(415, /application\/json/, send('a=1', 'application/x-www-form-urlencoded'));
  });

  it('gives up on a client that trickles its head or its body, and says so', async () => {
    const before = await dump(opened.store);
    const head = await trickle('POST /v1/deposits HTTP/1.1\r\n', 'x-slow: 1\r\n');
    assert.match(head, /^HTTP\/1.1 408 .*"error":"timeout"/s);
    const at = new Date(NOW).toISOString();
    const authorization = signRequest({ method: 'POST', path: '/v1/deposits', body: '', at }, KEYS.nick);
    const body = await trickle(
      `POST /v1/deposits HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`,
      '[',
    );
    assert.match(body, /^HTTP\/1.1 408 .*"error":"timeout"/s);
    assert.equal(await dump(opened.store), before);
  });

  it('answers what is no HTTP, and a head that is too large', async () => {
    assert.match(await trickle('\x16\x03 hello\r\n\r\n', ''), /^HTTP\/1.1 400 .*"error":"bad-request"/s);
    assert.match(
      await trickle(`GET / HTTP/1.1\r\nx: ${'x'.repeat(1 << 15)}\r\n\r\n`, ''),
      /^HTTP\/1.1 431 .*"error":"too-large"/s,
    );
  });

  it('shows an account to its own keys and to operators, to nobody else', async () => {
    const [nick, ...others] = await by('nick').accounts();
    assert.equal(nick?.id, 'nick');
    assert.deepEqual(others, []);
    assert.equal((await by('route').accounts()).length, 4);
    const [alice] = await by('alice').accounts();
    assert.equal(alice?.kind, 'user');
    const statement = await by('alice').statement(alice.id);
    assert.equal(statement.closing, alice.balances[0]?.balance);
    assert.equal((await by('route').statement('nick')).lines.length, 4);
    await refusedWith(403, /not one of account nick/, () => by('alice').statement('nick'));
    await refusedWith(404, /no account `nobody`/, () => by('route').statement('nobody'));
  });

  it('lets operators alone settle, book payments and audit', async () => {
    const nick = by('nick');
    for (const ask of [() => nick.settle(), () => nick.paid(1), () => nick.audit()])
      await refusedWith(403, /is no operator/, ask);
    const operator = by('route');
    const [batch, ...more] = await operator.settle();
    assert.deepEqual(more, []);
    assert.deepEqual(
      [batch?.batch, batch?.provider, batch?.isp, batch?.amount, batch?.charges],
      [1, 'martha', 'nick', '1.76', 4],
    );
    assert.deepEqual(await operator.settle(), []);
    const paid = await operator.paid(1);
    assert.equal(paid.paidAt, '2007-11-20T20:00:00.000Z');
    assert.deepEqual(await operator.paid(1), paid);
    await refusedWith(404, /no batch 2/, () => operator.paid(2));
    assert.deepEqual(await by('martha').settlements(), [paid]);
    assert.deepEqual(await by('mallory').settlements(), []);
    const report = await operator.audit(true);
    assert.deepEqual(report.problems, []);
    assert.equal(report.deposits, 4);
  });

  it('holds credit, and frees it', async () => {
    const { deposit, assertions } = payment({ nonce: 'held' });
    const claim = claimOf(deposit);
    const hold = { ...claim, expiresAt: new Date(NOW + 3_600_000).toISOString() };
    const [answer] = await by('nick').hold({ assertions, holds: [hold] });
    assert.equal(answer?.answer, 'held', answer?.reason);
    assert.equal(await by('mallory').release(hold.id), false);
    assert.equal(await by('nick').release(hold.id), true);
    assert.equal(await by('nick').release(hold.id), false);
  });

  it('serves its description, its health and its numbers to anybody', async () => {
    const get = async (path: string): Promise<string> => raw('GET', path, {}, '');
    const { openapi, paths } = bodyOf(await get('/openapi.json')) as { openapi: string; paths: object };
    assert.equal(openapi, '3.1.0');
    assert.deepEqual(Object.keys(paths).sort(), [
      '/v1/accounts',
      '/v1/accounts/{id}/statement',
      '/v1/audit',
      '/v1/deposits',
      '/v1/holds',
      '/v1/holds/{id}',
      '/v1/settlements',
      '/v1/settlements/{id}/paid',
    ]);
    assert.match(await get('/-/healthy'), /200 OK.*healthy/s);
    assert.match(await get('/-/ready'), /200 OK.*ready/s);
    assert.match(await get('/metrics'), /bandex_clearing_answers_total\{of="deposit",answer="accepted"\} 4/);
  });

  it('refuses to speak to a server whose certificate it cannot check', async () => {
    const stranger = client({ key: KEYS.nick, ca: new Authority('other authority').cert });
    await assert.rejects(stranger.accounts(), ClearingUnavailable);
  });

  /** One request over a connection of its own; the whole answer. */
  function raw(method: string, path: string, headers: Record<string, string>, body: string): Promise<string> {
    const all = { host: 'x', 'content-type': 'application/json', ...headers, connection: 'close' };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    const head = [`${method} ${path} HTTP/1.1`, ...lines, `content-length: ${Buffer.byteLength(body)}`];
    return trickle(`${head.join('\r\n')}\r\n\r\n${body}`, '');
  }

  /** Sends this at once, and that again and again; all that comes back until the server ends it. */
  async function trickle(first: string, again: string): Promise<string> {
    const socket = connect({ host: HOST, port, ca: authority.cert, ciphers: WEAK });
    let text = '';
    let isOpen = true;
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => (isOpen = false)).on('error', () => undefined);
    socket.write(first);
    while (isOpen) {
      await sleep(20);
      if (again !== '' && socket.writable) socket.write(again);
    }
    return text;
  }

  async function refusedRaw(status: number, message: RegExp, send: () => Promise<string>): Promise<void> {
    const before = await dump(opened.store);
    const answer = await send();
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
    const { error, message: said, where } = bodyOf(answer) as Record<string, string>;
    assert.match(said ?? '', message);
    assert.equal(typeof error, 'string');
    assert.equal(where, '/v1/deposits');
    assert.equal(await dump(opened.store), before);
  }
});

function bodyOf(answer: string): unknown {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const text = rest.join('\r\n\r\n');
  return JSON.parse(
    /transfer-encoding: chunked/i.test(head) ? text.replace(/^[0-9a-f]+\r\n|\r\n0\r\n/g, '') : text,
  );
}
