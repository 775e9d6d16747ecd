import { licenseesOf } from '../keynote/index.js';
import type { AlgorithmChoice, Assertion, CredentialCache, Principal } from '../keynote/index.js';
import { PaymentJudge, toMillionths, whyRefused } from '../payment/index.js';
import type { Action, Payer } from '../payment/index.js';
import { asksFor } from '../payment/asks-for.js';
import { comparableSum } from '../payment/money.js';
import { keyId } from './accounts.js';
import type { Directory, KnownAccount } from './accounts.js';
import type { Claim } from './deposit.js';
import type { Evidence } from './evidence.js';
import { checkPlausible } from './plausible.js';
import { providerOf } from './provider.js';
import { ClaimRefused, refuse } from './refuse.js';
import type { Terms } from './terms.js';

export interface DepositJudgeOptions {
  /** The clearing centre's own policy: whose credit it trusts. */
  readonly policy: readonly Assertion[];
  readonly algorithms?: AlgorithmChoice;
  readonly cache?: CredentialCache;
  readonly terms: Terms;
  readonly directory: Directory;
}

/** What one payer is charged. */
export interface Charge {
  /** `keyId` of the payer: with the nonce it is what is spent. */
  readonly payer: string;
  /** The payer as text, for an account that is made now; and a short name. */
  readonly principal: string;
  readonly name: string;
  /** Account that is debited. */
  readonly account: string;
  /** Account that settles for it. */
  readonly provider: string;
  /** Minor units. */
  readonly amount: bigint;
}

export type Judgement =
  | { readonly charges: readonly Charge[]; readonly reason: string; readonly refused?: undefined }
  | { readonly refused: string };

const asksForTotal = asksFor('total');

/**
 * Would the clearing centre itself have granted this payment, and to this account? Its own KeyNote query over what was
 * presented at the grant; what has been spent, and what the accounts hold, is the ledger's matter. Pure, and it never throws for
 * what an ISP hands in.
 */
export class DepositJudge {
  readonly terms: Terms;
  readonly directory: Directory;
  readonly cache: CredentialCache;
  readonly #judge: PaymentJudge;

  constructor(options: DepositJudgeOptions) {
    this.terms = options.terms;
    this.directory = options.directory;
    this.#judge = new PaymentJudge(options);
    this.cache = this.#judge.cache;
  }

  judge(isp: KnownAccount, claim: Claim, evidence: Evidence, now: number): Judgement {
    return this.#answer(() => {
      const amount = checkPlausible(claim, this.terms, now);
      const { payers, action } = this.#granted(claim, evidence);
      for (const payer of payers) checkPayee(payer, isp, this.directory);
      return this.#charges(claim, amount, payers, action);
    });
  }

  /** Do its credentials still prove a payment by these payers? For an audit: its age and its payee are not asked about. */
  stillGranted(claim: Claim, evidence: Evidence): string | undefined {
    return this.#answer(() => {
      this.#granted(claim, evidence);
      return { charges: [], reason: '' };
    }).refused;
  }

  #answer(judge: () => Judgement): Judgement {
    try {
      return judge();
    } catch (error) {
      if (error instanceof ClaimRefused) return { refused: error.message };
      throw error;
    }
  }

  #granted(claim: Claim, evidence: Evidence): { payers: readonly Payer[]; action: Action } {
    const credentials = evidence.credentialsOf(claim, this.terms.limits);
    const total = new Map([['total', comparableSum(BigInt(toMillionths(claim.amount)))]]);
    const action: Action = {
      attributes: new Map(Object.entries(claim.attributes)),
      credentials,
      route: claim.route,
      nodeKeys: claim.nodeKeys,
      // What was paid before is the ISP's to have counted; this payment alone must not be above a total.
      attributesOf: (assertion) => (asksForTotal(assertion) ? total : undefined),
    };
    const answer = this.#judge.ask(action);
    if (answer.index === 0) refuse(whyRefused(answer, this.#names).text);
    const payers = this.#judge.payers(action);
    if (payers.length === 0)
      refuse(`no credential binds the nonce \`${claim.nonce}\`: it could pay for ever`);
    const found = payers.map(({ principal }) => principal.toText('base64')).sort();
    const claimed = [...claim.payers].sort();
    if (found.length !== claimed.length || found.some((payer, i) => payer !== claimed[i]))
      refuse(`payers are ${this.#list(payers)}, not those that are claimed`);
    return { payers, action };
  }

  /** Several payers share the amount; what does not divide falls to the first of them, by their keys. */
  #charges(claim: Claim, amount: bigint, payers: readonly Payer[], action: Action): Judgement {
    const ordered = payers.map(({ principal }) => principal).sort((a, b) => (keyId(a) < keyId(b) ? -1 : 1));
    const count = BigInt(ordered.length);
    if (amount < count) refuse(`amount ${claim.amount} cannot be shared by ${count} payers`);
    const charges = ordered.map((payer, i) => ({
      payer: keyId(payer),
      principal: payer.toText('base64'),
      name: this.directory.nameOf(payer),
      account: this.directory.payingAccount(payer),
      provider: this.#provider(payer, action),
      amount: amount / count + (BigInt(i) < amount % count ? 1n : 0n),
    }));
    const names = charges.map(({ name, provider }) => `${name} through ${provider}`);
    return { charges, reason: `${claim.amount} ${claim.currency} by ${names.join(', ')}` };
  }

  #provider(payer: Principal, action: Action): string {
    const isGranted = (credentials: readonly Assertion[]): boolean =>
      this.#judge.ask({ ...action, credentials }).index > 0;
    const provider = providerOf(payer, action.credentials, this.directory, isGranted);
    return (
      provider?.id ?? refuse(`nobody who has an account here settles for ${this.directory.nameOf(payer)}`)
    );
  }

  #list(payers: readonly Payer[]): string {
    return payers.map(({ principal }) => this.directory.nameOf(principal)).join(', ');
  }

  get #names(): ReadonlyMap<string, string> {
    return new Map(
      this.directory.accounts.flatMap(({ id, keys }) => keys.map((key) => [key.id, id] as const)),
    );
  }
}

/** A check is money for whom it names: one of the account's keys, be it an ISP's or that of its policy node. */
function checkPayee({ principal, checks }: Payer, isp: KnownAccount, directory: Directory): void {
  const named = checks.flatMap(licenseesOf);
  const keys = new Set(isp.keys.map(({ id }) => id));
  if (named.some(({ id }) => keys.has(id))) return;
  const to = [...new Set(named.map((payee) => directory.nameOf(payee)))].join(', ');
  refuse(
    `the check by ${directory.nameOf(principal)} is payable to ${to === '' ? 'nobody' : to}, not to ${isp.id}`,
  );
}
