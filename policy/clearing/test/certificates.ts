import { createPublicKey } from 'node:crypto';
import forge from 'node-forge';
import { publicPrincipal } from '../../keynote/index.js';
import type { Principal } from '../../keynote/index.js';

export interface Identity {
  readonly key: string;
  readonly cert: string;
  /** Of the certificate's key. */
  readonly principal: Principal;
}

/** The keys are small so that the tests are quick; OpenSSL calls them too weak at its usual security level. */
export const WEAK = 'DEFAULT@SECLEVEL=0';

/** A certificate authority made for a test, and what it signs. */
export class Authority {
  readonly #keys = forge.pki.rsa.generateKeyPair(1024);
  readonly cert: string;
  readonly #subject: forge.pki.CertificateField[];
  #serial = 1;

  constructor(name = 'test authority') {
    this.#subject = [{ name: 'commonName', value: name }];
    const certificate = this.#certificate(this.#keys.publicKey, this.#subject);
    certificate.setExtensions([{ name: 'basicConstraints', cA: true }]);
    certificate.sign(this.#keys.privateKey, forge.md.sha256.create());
    this.cert = forge.pki.certificateToPem(certificate);
  }

  issue(commonName: string, altNames: readonly object[] = []): Identity {
    const keys = forge.pki.rsa.generateKeyPair(1024);
    const certificate = this.#certificate(keys.publicKey, [{ name: 'commonName', value: commonName }]);
    if (altNames.length > 0) certificate.setExtensions([{ name: 'subjectAltName', altNames }]);
    certificate.sign(this.#keys.privateKey, forge.md.sha256.create());
    return {
      key: forge.pki.privateKeyToPem(keys.privateKey),
      cert: forge.pki.certificateToPem(certificate),
      principal: publicPrincipal(createPublicKey(forge.pki.publicKeyToPem(keys.publicKey))),
    };
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
