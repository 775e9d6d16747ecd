import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { createLog } from '../pdp/log.js';
import { loadConfig } from '../pdp/load.js';
import { PdpService } from '../pdp/service.js';
import { runBandex } from './serving.js';

const HOUR = 3_600_000;

/** One key pair for everybody: who somebody is, the certificate says. */
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** A certificate by `issuer`. */
function certificate(name: string, issuer: string, extensions: object[]): string {
  const signer = forge.pki.privateKeyFromPem(KEY);
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.rsa.setPublicKey(signer.n, signer.e);
  made.serialNumber = `0${name.length}`;
  made.validity.notBefore = new Date(Date.now() - HOUR);
  made.validity.notAfter = new Date(Date.now() + HOUR);
  made.setSubject([{ name: 'commonName', value: name }]);
  made.setIssuer([{ name: 'commonName', value: issuer }]);
  made.setExtensions(extensions);
  made.sign(signer, forge.md.sha256.create());
  return forge.pki.certificateToPem(made);
}

describe('a PDP with TLS as configured', function () {
  this.timeout(30_000);
  let folder: string;
  let service: PdpService;
  const ports: number[] = [];
  const at = (name: string): string => join(folder, name);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    const files = {
      'key.pem': KEY,
      'ca.pem': certificate('authority', 'authority', [{ name: 'basicConstraints', cA: true }]),
      'pdp.pem': certificate('pdp', 'authority', [
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ]),
      'edge-1.pem': certificate('edge-1', 'authority', []),
      'self.pem': certificate('edge-1', 'edge-1', []),
      'pdp.yaml': `
listen: [{ address: 127.0.0.1, port: 0, tls: true }, { address: 127.0.0.1, port: 0 }]
tls: { certificate: pdp.pem, key: key.pem, ca: ca.pem, startTls: required }
policy: { pass: [Path, Resv] }
`,
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content);
    const log = createLog({ level: 'silent', format: 'json' });
    service = new PdpService(loadConfig(at('pdp.yaml')), { log, clock: Date.now });
    ports.push(...(await service.start()).map(({ port }) => port));
  });
  after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  async function ask(port: number | undefined, pepId: string, ...options: string[]): Promise<number | null> {
    const about = [
      '--session',
      '192.0.2.7/udp/1',
      '--sender',
      '192.0.2.9/1',
      '--timeout',
      '5',
      '--ca',
      at('ca.pem'),
    ];
    const { code } = await runBandex([
      'pep',
      '--pdp',
      `127.0.0.1:${port}`,
      '--pep-id',
      pepId,
      ...about,
      ...options,
    ]);
    return code;
  }
  const identity = (): string[] => ['--cert', at('edge-1.pem'), '--key', at('key.pem')];

  it('answers a PEP with a certificate, on the TLS port and after StartTLS (RFC 4261 5)', async () => {
    assert.equal(await ask(ports[0], 'edge-1', '--tls', ...identity()), 0);
    assert.equal(await ask(ports[1], 'edge-1', '--tls', 'start', ...identity()), 0);
  });

  it('refuses a PEP without TLS, without a certificate, with one of nobody, or with the name of another (RFC 4261 7.1)', async () => {
    assert.equal(await ask(ports[1], 'edge-1'), 1);
    assert.equal(await ask(ports[0], 'edge-1', '--tls'), 1);
    assert.equal(await ask(ports[0], 'edge-1', '--tls', '--cert', at('self.pem'), '--key', at('key.pem')), 1);
    assert.equal(await ask(ports[0], 'edge-2', '--tls', ...identity()), 1);
  });
});
