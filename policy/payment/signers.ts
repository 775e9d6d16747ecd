import { createHash } from 'node:crypto';
import { algorithmPolicy, authorOf, conditionsValue, verifyAssertion } from '../keynote/index.js';
import type { AlgorithmChoice, Answer, Assertion, Failure, Principal } from '../keynote/index.js';
import { asksFor } from './asks-for.js';
import { withAnotherNonce } from './binding.js';
import { ACTION } from './judge.js';
import type { Action, PaymentJudge } from './judge.js';
import { attributeAbove } from './reason.js';

/*
 * Whose doing a refusal was, as far as signatures prove it. Anybody can repeat a check that was overheard, leave out what
 * belongs to it, or write something under another's name. So a key has done only what its own signature says.
 */

/** A key, and what it signed for the request. */
export interface Signer {
  readonly key: Principal;
  /** SHA-256 of the texts as they were signed: what stands around a signed text is anybody's to change. */
  readonly texts: readonly string[];
}

/** Signatures that are looked at to find out. */
const MOST_CHECKS = 2;
const NOBODY: readonly Signer[] = [];

/** Can it be a check? Who wrote it is who asks, or pretends to be. */
export const isAboutNonce = asksFor('nonce');

/** What those who pay for an action have signed for it. `payers`: who they are, where that is known. */
export function signersOf(
  judge: PaymentJudge,
  action: Action,
  algorithms?: AlgorithmChoice,
  payers?: readonly Principal[],
): readonly Signer[] {
  const sound = soundChecks(action, algorithms);
  if (sound.length === 0 || (payers === undefined && judge.ask(action).index === 0)) return NOBODY;
  const keys = payers ?? judge.payers(action).map(({ principal }) => principal);
  return keys.flatMap((key) => {
    const texts = sound.filter((check) => authorOf(check)?.id === key.id).map(signedDigest);
    return texts.length === 0 ? NOBODY : [{ key, texts }];
  });
}

/**
 * Who signed for more than they may. They are known by this: all would be granted if what stood in the way did not see the
 * amount. So neither an authorization that was left out nor a forged one that allows less makes anybody guilty.
 */
export function overdrawersOf(
  judge: PaymentJudge,
  action: Action,
  refused: Answer,
  algorithms?: AlgorithmChoice,
): readonly Signer[] {
  const limits = refused.explanation.failures.filter(isAboutMoney);
  if (limits.length === 0) return NOBODY;
  const limiting = new Set(limits.map(({ authorizer }) => authorizer?.id));
  const { attributesOf } = action;
  return signersOf(
    judge,
    {
      ...action,
      attributesOf: (assertion) => {
        const author = authorOf(assertion);
        return author !== undefined && limiting.has(author.id) ? NO_MONEY : attributesOf?.(assertion);
      },
    },
    algorithms,
  );
}

const NO_MONEY: ReadonlyMap<string, string> = new Map(
  ['amount', 'total', 'exposure'].map((name) => [name, '0']),
);

function isAboutMoney({ kind, comparison }: Failure): boolean {
  if (kind !== 'condition' || comparison === undefined) return false;
  const name = attributeAbove(comparison);
  return name !== undefined && NO_MONEY.has(name);
}

/** Checks that hold for this very request and for no other nonce, and are by whom they say. The first that is not is the last. */
function soundChecks(action: Action, algorithms?: AlgorithmChoice): Assertion[] {
  const sound: Assertion[] = [];
  const other = withAnotherNonce(action.attributes);
  for (const credential of action.credentials) {
    const author = isAboutNonce(credential) ? authorOf(credential) : undefined;
    if (author?.isKey !== true || !holds(credential, action.attributes) || holds(credential, other)) continue;
    const { verdict } = credential.verdict(author, algorithmPolicy(algorithms), () =>
      verifyAssertion(credential, algorithms === undefined ? {} : { algorithms }),
    );
    if (verdict !== 'verified') return sound;
    if (sound.push(credential) === MOST_CHECKS) return sound;
  }
  return sound;
}

function holds(credential: Assertion, attributes: ReadonlyMap<string, string>): boolean {
  return conditionsValue(credential, { ...ACTION, authorizers: [], attributes }) > 0;
}

function signedDigest({ signedText = '' }: Assertion): string {
  return createHash('sha256').update(signedText, 'latin1').digest('hex');
}
