import type { TLSSocket } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import type { Peer } from '../pdp/options.js';

/** The identities that a verified certificate gives (RFC 4261 7): DNS names, IP addresses, otherwise the common name. */
export function tlsPeer(socket: TLSSocket): NonNullable<Peer['tls']> {
  const certificate = socket.getPeerCertificate() as PeerCertificate | undefined;
  if (certificate?.fingerprint256 === undefined || !socket.authorized) return { names: [] };
  const alternatives = (certificate.subjectaltname ?? '')
    .split(', ')
    .map((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  const common = certificate.subject.CN;
  const names = alternatives.length > 0 || typeof common !== 'string' ? alternatives : [common];
  return { names, fingerprint: certificate.fingerprint256 };
}

/** RFC 4261 7: TLS 1.2 is the oldest that we speak; the 3DES suite of its section 8 is broken and left out. */
export const TLS_DEFAULTS = { minVersion: 'TLSv1.2' } as const;
