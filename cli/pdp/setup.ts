import { createSecureContext } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { KeyRing } from '../../cops/index.js';
import type { CopsKey, PdpLimits, Peer } from '../../cops/index.js';
import { secretAt } from '../config/secrets.js';
import { matchesGlob } from './glob.js';
import type { LoadedConfig } from './load.js';

/** Certificates and keys for TLS; undefined where the configuration has none. */
export function tlsOptions(config: LoadedConfig): TlsOptions | undefined {
  const { tls } = config;
  if (tls === undefined) return undefined;
  const options: TlsOptions = {
    cert: config.read(['tls', 'certificate'], tls.certificate),
    key: config.read(['tls', 'key'], tls.key),
    ...(tls.ca === undefined
      ? {}
      : { ca: config.read(['tls', 'ca'], tls.ca), requestCert: true, rejectUnauthorized: true }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw config.problem(['tls'], `the certificate and the key cannot be used: ${(error as Error).message}`);
  }
  return options;
}

/** The keys that each PEP shares with us; undefined where the configuration has none. */
export function keyRings(config: LoadedConfig): ((pepId: string) => KeyRing | undefined) | undefined {
  const { integrity } = config;
  if (integrity === undefined) return undefined;
  const keys = integrity.keys.map((key, i): { pep: string; key: CopsKey } => ({
    pep: key.pep,
    key: {
      id: key.id,
      secret: secretAt(config, ['integrity', 'keys', i], key),
      ...(key.notBefore === undefined ? {} : { notBefore: Date.parse(key.notBefore) }),
      ...(key.notAfter === undefined ? {} : { notAfter: Date.parse(key.notAfter) }),
    },
  }));
  const twice = keys.findIndex(({ pep, key }, i) =>
    keys.slice(0, i).some((other) => other.pep === pep && other.key.id === key.id),
  );
  if (twice !== -1)
    throw config.problem(['integrity', 'keys', twice, 'id'], 'the same `pep` and `id` as a key before');
  return (pepId) => {
    const own = keys.filter(({ pep }) => matchesGlob(pep, pepId)).map(({ key }) => key);
    // Of keys with one id, the first that matches counts.
    const ring = own.filter((key, i) => own.findIndex(({ id }) => id === key.id) === i);
    return ring.length === 0 ? undefined : new KeyRing(ring);
  };
}

export function pdpLimits(config: LoadedConfig): Partial<PdpLimits> {
  return Object.fromEntries(Object.entries(config.limits).filter(([, value]) => value !== undefined));
}

/** "The PDP MUST perform the same identity checks for the PEPs" (RFC 4261 7.1) where it asks for their certificates. */
export function mayOpen(config: LoadedConfig): (pepId: string, clientType: number, peer: Peer) => boolean {
  const { tls } = config;
  if (tls?.ca === undefined || !tls.matchPepId) return () => true;
  return (pepId, _clientType, peer) => peer.tls === undefined || peer.tls.names.includes(pepId);
}
