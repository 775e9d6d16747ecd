import assert from 'node:assert/strict';
import { once } from 'node:events';
import forge from 'node-forge';
import { COPS, IntegrityTls, KaTimer, KeyRing, OP, PepId } from '../index.js';
import type { PdpTarget } from '../index.js';
import { PdpServer, PepClient } from '../io/index.js';
import type { PdpServerOptions, PepClientOptions } from '../io/index.js';
import { brief, message, RawPeer, until } from './support.js';

const HOST = '127.0.0.1';
const ASK = { rType: 1, mType: 2 };

interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority made for the test, and what it signs. */
class Authority {
  readonly #keys = forge.pki.rsa.generateKeyPair(1024);
  readonly cert: string;
  readonly #subject = [{ name: 'commonName', value: 'test authority' }];
  #serial = 1;

  constructor() {
    const certificate = this.#certificate(this.#keys.publicKey, this.#subject);
    certificate.setExtensions([{ name: 'basicConstraints', cA: true }]);
    certificate.sign(this.#keys.privateKey, forge.md.sha256.create());
    this.cert = forge.pki.certificateToPem(certificate);
  }

  issue(commonName: string, altNames: readonly object[]): Identity {
    const keys = forge.pki.rsa.generateKeyPair(1024);
    const certificate = this.#certificate(keys.publicKey, [{ name: 'commonName', value: commonName }]);
    if (altNames.length > 0) certificate.setExtensions([{ name: 'subjectAltName', altNames }]);
    certificate.sign(this.#keys.privateKey, forge.md.sha256.create());
    return { key: forge.pki.privateKeyToPem(keys.privateKey), cert: forge.pki.certificateToPem(certificate) };
  }

  #certificate(
    publicKey: forge.pki.rsa.PublicKey,
    subject: forge.pki.CertificateField[],
  ): forge.pki.Certificate {
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = publicKey;
    certificate.serialNumber = `0${this.#serial++}`;
    certificate.validity.notBefore = new Date(Date.now() - 3_600_000);
    certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
    certificate.setSubject(subject);
    certificate.setIssuer(this.#subject);
    return certificate;
  }
}

describe('COPS over TLS (RFC 4261)', function () {
  this.timeout(20_000);
  let authority: Authority;
  let pdpIdentity: Identity;
  let pepIdentity: Identity;
  const cleanUp: (() => Promise<void>)[] = [];

  before(() => {
    authority = new Authority();
    pdpIdentity = authority.issue('pdp', [{ type: 7, ip: HOST }]);
    pepIdentity = authority.issue('unused', [{ type: 2, value: 'pep-1.example.com' }]);
  });
  afterEach(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });

  // The keys are small so that the test is quick; OpenSSL calls them too weak at its usual security level.
  const weak = { ciphers: 'DEFAULT@SECLEVEL=0' };
  async function pdp(
    options: Partial<PdpServerOptions>,
    direct = false,
  ): Promise<{ server: PdpServer; port: number }> {
    const server = new PdpServer({
      decide: () => ({ command: 'install' }),
      ...options,
      tls: { ...pdpIdentity, ...weak, ...options.tls },
    });
    cleanUp.push(() => server.close());
    const { port } = await server.listen({ host: HOST, port: 0, tls: direct });
    return { server, port };
  }
  function pep(
    target: PdpTarget,
    tls: PepClientOptions['tls'] = {},
    more: Partial<PepClientOptions> = {},
  ): PepClient {
    const client = new PepClient({
      pepId: 'pep-1.example.com',
      tls: { ca: authority.cert, ...weak, ...tls },
      ...more,
      pdps: [target],
    });
    cleanUp.push(() => client.close());
    return client;
  }

  it("negotiates upward on the COPS port, on the PEP's initiative (RFC 4261 5.1)", async () => {
    const { server, port } = await pdp({ startTls: 'offered' });
    const client = pep({ host: HOST, port, tls: 'start' });
    assert.equal((await client.request(ASK)).source, 'pdp');
    const [session] = server.pdp.sessions();
    assert.notEqual(session?.peer.tls, undefined);
    const answers = await Promise.all(Array.from({ length: 500 }, () => client.request(ASK)));
    assert.equal(answers.length, 500);
  });

  it('says Integrity-TLS with StartTLS in the Client-Accept, also to a plain Client-Open for client-type 0 (5.2)', async () => {
    const { port } = await pdp({ startTls: 'required' });
    for (const objects of [[], [IntegrityTls.make({ flags: 1 })]]) {
      const peer = await RawPeer.to(port);
      peer.send(message(OP.OPN, 0, [PepId.make({ pepId: 'pep' }), ...objects]));
      assert.equal(await peer.brief(), 'CAT 0 KATimer 30, Integrity 1');
      peer.destroy();
    }
  });

  it('refuses messages where the handshake was due, before and behind the Client-Accept (5.2)', async () => {
    const { port } = await pdp({ startTls: 'required' });
    const open = message(OP.OPN, 0, [PepId.make({ pepId: 'pep' }), IntegrityTls.make({ flags: 1 })]);
    const injected = message(OP.OPN, 1, [PepId.make({ pepId: 'pep' })]);
    const early = (await RawPeer.to(port)).send(Buffer.concat([open, injected]));
    await early.next();
    assert.equal(await early.brief(), 'CC 0 Error 15/16.2');
    await early.closed;
    const late = (await RawPeer.to(port)).send(open);
    await late.next();
    late.send(injected);
    assert.equal(await late.brief(), 'CC 0 Error 15/16.2');
    await late.closed;
  });

  it('requires TLS of whoever opens without it, naming Integrity-TLS (RFC 4261 4.2)', async () => {
    const { port } = await pdp({ startTls: 'required' });
    const peer = (await RawPeer.to(port)).send(message(OP.OPN, 1, [PepId.make({ pepId: 'pep' })]));
    assert.equal(await peer.brief(), 'CC 0 Error 15/16.2');
    await peer.closed;
  });

  it('is refused by a PDP without TLS as an unknown object, or in favour of keys (RFC 4261 4.2)', async () => {
    for (const [options, error] of [
      [{}, '13/16.2'],
      [{ keys: () => new KeyRing([]) }, '15/16.1'],
    ] as const) {
      const { port } = await pdp(options);
      const peer = (await RawPeer.to(port)).send(
        message(OP.OPN, 0, [PepId.make({ pepId: 'pep' }), IntegrityTls.make({ flags: 1 })]),
      );
      assert.equal(await peer.brief(), `CC 0 Error ${error}`);
      await peer.closed;
    }
  });

  it('is insisted on by the PEP: a Client-Accept without Integrity-TLS ends it (RFC 4261 5.1)', async () => {
    const { createServer } = await import('node:net');
    const heard: string[] = [];
    const stripping = createServer((socket) => {
      const peer = RawPeer.over(socket);
      void (async () => {
        await peer.next();
        peer.send(
          COPS.encode({ opCode: OP.CAT, clientType: 0, objects: [KaTimer.make({ kaTimerValue: 30 })] }),
        );
        const answer = await peer.next();
        if (answer !== undefined) heard.push(brief(answer));
      })();
    });
    await new Promise<void>((resolve) => stripping.listen(0, HOST, resolve));
    const { port } = stripping.address() as { port: number };
    const client = pep({ host: HOST, port, tls: 'start' });
    await until(() => heard.length > 0);
    assert.equal(heard[0], 'CC 0 Error 15/16.2');
    await client.close();
    stripping.close();
  });

  it("checks the PDP's certificate against its address (RFC 4261 7.2)", async () => {
    const other = authority.issue('pdp', [{ type: 7, ip: '192.0.2.1' }]);
    const { port } = await pdp({ startTls: 'offered', tls: { ...other } });
    const client = pep({ host: HOST, port, tls: 'start' });
    const [lost] = (await once(client, 'lost')) as [{ reason: string }];
    assert.match(lost.reason, /altnames/i);
  });

  it('checks who signed it', async () => {
    const stranger = new Authority();
    const { port } = await pdp({ startTls: 'offered' });
    const client = pep({ host: HOST, port, tls: 'start' }, { ca: stranger.cert });
    const [lost] = (await once(client, 'lost')) as [{ reason: string }];
    assert.match(lost.reason, /signature|issuer|verify|self.signed/i);
  });

  it("is mutual on a port of its own, and gives the PEP's name to `authorize` (RFC 4261 7.1)", async () => {
    const { port } = await pdp(
      {
        tls: { ca: authority.cert, requestCert: true, rejectUnauthorized: true },
        authorize: (pepId, _, peer) => peer.tls?.names.includes(pepId) ?? false,
      },
      true,
    );
    const client = pep({ host: HOST, port, tls: 'direct' }, pepIdentity);
    assert.equal((await client.request(ASK)).source, 'pdp');
    const masquerade = pep({ host: HOST, port, tls: 'direct' }, pepIdentity, { pepId: 'pep-2.example.com' });
    const [refused] = (await once(masquerade, 'lost')) as [{ reason: string }];
    assert.match(refused.reason, /error 14/);
  });

  it('refuses a PEP without a certificate, or with one of another authority', async () => {
    const { server, port } = await pdp(
      { tls: { ca: authority.cert, requestCert: true, rejectUnauthorized: true } },
      true,
    );
    const other = new Authority().issue('pep', [{ type: 2, value: 'pep-1.example.com' }]);
    for (const identity of [{}, other]) {
      const client = pep({ host: HOST, port, tls: 'direct' }, identity);
      await once(client, 'lost');
    }
    assert.equal([...server.pdp.sessions()].length, 0);
  });

  it('is mutual after an upward negotiation as well', async () => {
    const options = {
      tls: { ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      startTls: 'required',
    } as const;
    const { server, port } = await pdp(options);
    const anonymous = pep({ host: HOST, port, tls: 'start' });
    await once(anonymous, 'lost');
    assert.equal([...server.pdp.sessions()].length, 0);
    const client = pep({ host: HOST, port, tls: 'start' }, pepIdentity);
    await client.request(ASK);
    assert.deepEqual([...server.pdp.sessions()][0]?.peer.tls?.names, ['pep-1.example.com']);
  });

  it('goes together with INTEGRITY', async () => {
    const ring = new KeyRing([{ id: 1, secret: Buffer.from('right') }]);
    const { server, port } = await pdp({ startTls: 'required', keys: () => ring, integrityRequired: true });
    const client = pep({ host: HOST, port, tls: 'start', keys: ring });
    assert.equal((await client.request(ASK)).source, 'pdp');
    const [connection] = server.pdp.connections;
    assert.ok(connection?.integrity !== undefined && connection.peer.tls !== undefined);
  });

  it('survives garbage in place of a handshake', async () => {
    const { server, port } = await pdp({ startTls: 'required' });
    const peer = await RawPeer.to(port);
    peer.send(message(OP.OPN, 0, [PepId.make({ pepId: 'pep' })]));
    await peer.next();
    peer.send(Buffer.from('16030100ff' + '5a'.repeat(255), 'hex'));
    await peer.closed;
    await until(() => server.connectionCount === 0);
  });
});
