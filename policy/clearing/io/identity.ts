import type { FastifyRequest } from 'fastify';
import { TLSSocket } from 'node:tls';
import { KeyNoteKeyError, publicPrincipal } from '../../keynote/index.js';
import type { AlgorithmChoice, Principal } from '../../keynote/index.js';
import { keyId } from '../accounts.js';
import type { Directory, KnownAccount } from '../accounts.js';
import { claimedBy, verifyRequest } from '../request-signature.js';
import { ApiProblem } from './problems.js';

/** Whoever asks, proven. */
export interface Identity {
  readonly principal: Principal;
  readonly isOperator: boolean;
  /** The account of its key: a configured one, or that of a user who has paid with it. */
  readonly account: string;
  readonly known: KnownAccount | undefined;
}

export interface IdentityOptions {
  readonly directory: Directory;
  readonly operators: readonly Principal[];
  /** How far a request's own time may be from ours, milliseconds. */
  readonly skew: number;
  /** Which signatures count. */
  readonly algorithms?: AlgorithmChoice | undefined;
}

/** A signature over the request where there is one, otherwise the client's certificate. Throws `ApiProblem` 401. */
export function identify(
  request: FastifyRequest,
  body: Uint8Array,
  now: number,
  options: IdentityOptions,
): Identity {
  const { authorization } = request.headers;
  const principal =
    authorization === undefined ? certified(request) : signed(authorization, request, body, now, options);
  const { directory, operators } = options;
  const id = keyId(principal);
  return {
    principal,
    isOperator: operators.some((operator) => keyId(operator) === id),
    account: directory.payingAccount(principal),
    known: directory.ofKey(principal),
  };
}

/** What can be told before the body is read, so that strangers do not make us read one. Throws `ApiProblem`. */
export function screen(
  request: FastifyRequest,
  now: number,
  { directory, operators, skew }: IdentityOptions,
): void {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    certified(request);
    return;
  }
  const claimed = claimedBy(authorization, now, skew);
  if (claimed.problem !== undefined) throw unauthenticated(claimed.problem);
  // Users are known to the database alone; they only read.
  if (request.method === 'GET') return;
  const { principal } = claimed;
  if (directory.ofKey(principal) === undefined && !operators.some(({ id }) => id === principal.id))
    throw forbidden(`${principal.fingerprint} has no account here`);
}

function signed(
  header: string,
  request: FastifyRequest,
  body: Uint8Array,
  now: number,
  { skew, algorithms }: IdentityOptions,
): Principal {
  const { method, url: path = '' } = request.raw;
  const verified = verifyRequest(header, { method: method ?? '', path, body }, now, skew, algorithms);
  if (verified.problem === undefined) return verified.principal;
  throw unauthenticated(verified.problem);
}

/** The certificate proves who holds its key; whom the key belongs to, the accounts tell. */
function certified({ raw: { socket } }: FastifyRequest): Principal {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (!(socket instanceof TLSSocket) || certificate === undefined)
    throw unauthenticated('expected a client certificate, or Authorization: KeyNote');
  if (!socket.authorized) {
    const why = String(socket.authorizationError).replace(/^Error: /, '');
    throw unauthenticated(`the client's certificate is not trusted: ${why}`);
  }
  try {
    return publicPrincipal(certificate.publicKey);
  } catch (error) {
    if (error instanceof KeyNoteKeyError) throw unauthenticated(error.message);
    throw error;
  }
}

function unauthenticated(message: string): ApiProblem {
  return new ApiProblem(401, 'unauthenticated', message);
}

/** The ISP that a deposit is for: the asker's own account, or the one that an operator names. Throws `ApiProblem`. */
export function ispOf(identity: Identity, directory: Directory, asked: string | undefined): KnownAccount {
  const { isOperator, known, principal } = identity;
  if (asked === undefined && known === undefined)
    throw forbidden(
      isOperator
        ? 'an operator says whose deposits they are: ?account='
        : `${principal.fingerprint} has no account here`,
    );
  const account = asked === undefined ? known : directory.find(asked);
  if (account === undefined)
    throw new ApiProblem(404, 'not-found', `there is no account \`${asked ?? ''}\``, 'account');
  if (!isOperator && account.id !== known?.id) throw forbidden(`the key is not one of account ${account.id}`);
  if (account.kind !== 'isp')
    throw forbidden(`account ${account.id} is a ${account.kind}'s: only ISPs deposit`);
  return account;
}

export function operatorOnly({ isOperator, principal }: Identity): void {
  if (!isOperator) throw forbidden(`${principal.fingerprint} is no operator`);
}

export function forbidden(message: string): ApiProblem {
  return new ApiProblem(403, 'forbidden', message);
}
