import forge from 'node-forge';
import { readIntegers, writeIntegers } from './der.js';
import { KeyNoteKeyError } from './error.js';

/**
 * The key encodings off the hot path (node-forge): DSA keys between KeyNote's SEQUENCE {y, p, q, g}
 * and SubjectPublicKeyInfo, DSA private keys, and the RSA key of an X.509 certificate.
 */
const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

const DSA_OID = '1.2.840.10040.4.1';

/** The declared type knows only the first of the options that forge takes. */
const fromDer = asn1.fromDer as unknown as (octets: string, options: typeof DER) => Asn1;

function integer(octets: Buffer): Asn1 {
  const sign = (octets[0] ?? 0) >= 0x80 ? '\0' : '';
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, sign + octets.toString('latin1'));
}

function sequence(parts: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts);
}

function toDer(element: Asn1): Buffer {
  return Buffer.from(asn1.toDer(element).getBytes(), 'latin1');
}

/** SubjectPublicKeyInfo of a DSA key. */
export function dsaToSpki(y: Buffer, p: Buffer, q: Buffer, g: Buffer): Buffer {
  const bits = `\0${asn1.toDer(integer(y)).getBytes()}`;
  const key = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.BITSTRING, false, bits);
  return toDer(sequence([dsaAlgorithm(p, q, g), key]));
}

/** AlgorithmIdentifier of RFC 3279 2.3.2. */
function dsaAlgorithm(p: Buffer, q: Buffer, g: Buffer): Asn1 {
  const oid = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(DSA_OID).getBytes());
  return sequence([oid, sequence([integer(p), integer(q), integer(g)])]);
}

/** The y, p, q and g of a DSA SubjectPublicKeyInfo. */
export function spkiToDsa(spki: Buffer): Buffer[] {
  return reading('a DSA key', () => {
    const [algorithm, key] = elements(fromDer(spki.toString('latin1'), DER));
    const [, parameters] = elements(algorithm);
    const y = asn1.fromDer(content(key).slice(1));
    return [y, ...elements(parameters)].map((part) => unsigned(Buffer.from(content(part), 'latin1')));
  });
}

/** SEQUENCE {0, p, q, g, y, x}, as KeyNote writes a DSA private key, from PKCS #8. */
export function dsaPrivateToDer(pkcs8: Buffer, publicKey: Buffer): Buffer {
  return reading('a DSA private key', () => {
    const [, , key] = elements(fromDer(pkcs8.toString('latin1'), DER));
    const x = Buffer.from(content(asn1.fromDer(content(key))), 'latin1');
    const [y, p, q, g] = readIntegers(publicKey, 4) as [Buffer, Buffer, Buffer, Buffer];
    return writeIntegers([ZERO, p, q, g, y, x]);
  });
}

/** PKCS #8 from SEQUENCE {0, p, q, g, y, x}. */
export function dsaPrivateToPkcs8(der: Buffer): Buffer {
  return reading('a DSA private key', () => {
    const parts = elements(fromDer(der.toString('latin1'), DER));
    const [, p, q, g, , x] = parts.map((part) => unsigned(Buffer.from(content(part), 'latin1')));
    if (p === undefined || q === undefined || g === undefined || x === undefined) {
      throw new KeyNoteKeyError('expected six INTEGERs');
    }
    const key = asn1.create(
      asn1.Class.UNIVERSAL,
      asn1.Type.OCTETSTRING,
      false,
      asn1.toDer(integer(x)).getBytes(),
    );
    return toDer(sequence([integer(ZERO), dsaAlgorithm(p, q, g), key]));
  });
}

const ZERO = Buffer.from([0]);
/** The contents of strings are not looked into. */
const DER = { strict: true, parseAllBytes: true, decodeBitStrings: false };

function unsigned(octets: Buffer): Buffer {
  let first = 0;
  while (first < octets.length - 1 && octets[first] === 0) first++;
  return octets.subarray(first);
}

/** The modulus and public exponent that an X.509 certificate binds. */
export function certificateRsaKey(certificate: Buffer): Buffer {
  return reading('an X.509 certificate with an RSA key', () => {
    const tree = fromDer(certificate.toString('latin1'), {
      ...DER,
      parseAllBytes: false,
      decodeBitStrings: true,
    });
    const publicKey: forge.pki.PublicKey = forge.pki.certificateFromAsn1(tree).publicKey;
    return toDer(forge.pki.publicKeyToRSAPublicKey(publicKey) as Asn1);
  });
}

/** forge throws errors of many kinds at what it cannot read. */
function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new KeyNoteKeyError(
      `this is not ${what}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function elements(element: Asn1 | undefined): Asn1[] {
  if (!Array.isArray(element?.value)) throw new KeyNoteKeyError('expected a SEQUENCE');
  return element.value;
}

function content(element: Asn1 | undefined): string {
  if (typeof element?.value !== 'string') throw new KeyNoteKeyError('expected a primitive element');
  return element.value;
}
