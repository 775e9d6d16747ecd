import type { Clause, Program } from './ast.js';
import { lineOf } from './error.js';
import type { Evaluation } from './evaluate.js';
import { POLICY_ID, parsePrincipal } from './principal.js';
import type { Principal } from './principal.js';
import type { ComplianceCheck, Participant, ResolvedLicensees } from './query.js';
import { constantString } from './signature.js';
import { whyFalse } from './why-false.js';
import type { Comparison, Reason } from './why-false.js';

/** Why a query has the answer that it has. */
export interface Explanation {
  readonly value: string;
  readonly index: number;
  /** The assertions that carried the value from POLICY to the requesters, in that order. */
  readonly chain: readonly AssertionReport[];
  /**
   * What kept the value below _MAX_TRUST: wrong signatures first, then conditions, then syntax, then
   * principals that nobody speaks for.
   */
  readonly failures: readonly Failure[];
  /** Everything that was reached from POLICY, as a tree; what comes twice is drawn once. */
  readonly root: PrincipalReport;
}

export interface PrincipalReport {
  readonly principal: Principal;
  readonly value: string;
  readonly index: number;
  readonly requester: boolean;
  readonly assertions: readonly AssertionReport[];
  /** Its assertions are shown elsewhere in the tree. */
  readonly repeated: boolean;
}

export interface AssertionReport {
  readonly source: 'policy' | 'credential';
  /** Its place in that list, from 0. */
  readonly position: number;
  readonly authorizer: Principal;
  readonly comment: string | undefined;
  /** The Assertion Compliance Value. */
  readonly value: string;
  readonly index: number;
  readonly signature: 'trusted' | 'verified' | 'failed' | 'unchecked';
  /** The Licensees as an expression of fingerprints; undefined where everybody is licensed. */
  readonly licensees: string | undefined;
  readonly failures: readonly Failure[];
  readonly principals: readonly PrincipalReport[];
}

export interface Failure {
  readonly kind: 'signature' | 'condition' | 'syntax' | 'principal';
  /** `amount 0.60 is not < 0.56` */
  readonly message: string;
  /** `amount 0.60 is not < 0.56, line 7, in the credential by rsa:0123456789abcdef` */
  readonly text: string;
  /** Undefined for a principal that nobody speaks for. */
  readonly source?: 'policy' | 'credential';
  readonly position?: number;
  readonly authorizer?: Principal;
  readonly comment?: string;
  /** Whom nobody speaks for. */
  readonly principal?: Principal;
  /** In the assertion, from 1. */
  readonly line?: number;
  /** Of a condition that is one comparison. */
  readonly comparison?: Comparison;
}

const ORDER: readonly Failure['kind'][] = ['signature', 'condition', 'syntax', 'principal'];

export function explain(check: ComplianceCheck): Explanation {
  const explainer = new Explainer(check);
  const root = explainer.principal(parsePrincipal('POLICY'));
  return {
    value: root.value,
    index: root.index,
    chain: explainer.chain(),
    failures: explainer.failures(),
    root,
  };
}

interface Carrier {
  readonly participant: Participant;
  readonly round: number;
}

class Explainer {
  readonly #byAuthorizer = new Map<string, Participant[]>();
  readonly #drawn = new Set<string>();
  readonly #maximum: number;

  constructor(private readonly check: ComplianceCheck) {
    this.#maximum = check.environment.maximum;
    for (const participant of check.participants) {
      const { id } = participant.authorizer;
      const others = this.#byAuthorizer.get(id);
      if (others === undefined) this.#byAuthorizer.set(id, [participant]);
      else others.push(participant);
    }
  }

  principal(principal: Principal): PrincipalReport {
    const { id } = principal;
    const index = this.check.valueOf(id);
    const repeated = this.#drawn.has(id);
    this.#drawn.add(id);
    const assertions = repeated ? [] : this.#by(id).map((participant) => this.#assertion(participant));
    return {
      principal,
      value: this.#name(index),
      index,
      requester: this.check.requesters.has(id),
      assertions,
      repeated: repeated && this.#by(id).length > 0,
    };
  }

  /**
   * One proof of the value: of several assertions that carry it, one that is nearest to the requesters, so
   * that no assertion rests on itself.
   */
  chain(): AssertionReport[] {
    const value = this.check.valueOf(POLICY_ID);
    if (value === 0) return [];
    const carriers = this.#carriersOf(value);
    const chain: Participant[] = [];
    const pending = new Set([POLICY_ID]);
    for (const id of pending) {
      const carrier = carriers.get(id);
      if (carrier === undefined) continue;
      chain.push(carrier.participant);
      const { licensees } = carrier.participant;
      const reached = (operand: ResolvedLicensees): boolean =>
        this.check.licenseeValue(operand, (name) => this.#within(name, carriers, carrier.round)) > 0;
      if (licensees !== undefined) for (const name of carrying(licensees, reached)) pending.add(name);
    }
    return chain.map((participant) => this.#report(participant, []));
  }

  /** By principal: the assertion that gives it at least `value`, and after how many others. */
  #carriersOf(value: number): Map<string, Carrier> {
    const carriers = new Map<string, Carrier>();
    const able = this.check.participants.filter((participant) => participant.value >= value);
    for (let round = 1, grown = true; grown; round++) {
      grown = false;
      for (const participant of able) {
        const { id } = participant.authorizer;
        if (carriers.has(id) || this.check.requesters.has(id)) continue;
        const known = (name: string): number => this.#within(name, carriers, round);
        if (this.check.licenseeValue(participant.licensees, known) === 0) continue;
        carriers.set(id, { participant, round });
        grown = true;
      }
    }
    return carriers;
  }

  /** Was the principal's value established before this round? */
  #within(id: string, carriers: ReadonlyMap<string, Carrier>, round: number): number {
    const isKnown = this.check.requesters.has(id) || (carriers.get(id)?.round ?? round) < round;
    return isKnown ? this.#maximum : 0;
  }

  failures(): Failure[] {
    const index = this.check.valueOf(POLICY_ID);
    if (index === this.#maximum) return [];
    const found: Failure[] = [];
    const seen = new Set<string>([POLICY_ID]);
    for (const id of seen) {
      const participants = this.#by(id);
      const before = found.length;
      for (const participant of participants) {
        found.push(...this.#failuresOf(participant, index));
        for (const licensee of this.#lacking(participant.licensees, index)) seen.add(licensee);
      }
      found.push(...this.#voidBy(id));
      if (participants.length === 0 && found.length === before) found.push(this.#nobodySpeaksFor(id));
    }
    found.push(...this.#voidBy(undefined));
    if (found.length === 0) found.push(CIRCLE);
    return found.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  }

  /** Principals whose values keep a licensees expression from rising above `index`. */
  #lacking(licensees: ResolvedLicensees | undefined, index: number): string[] {
    if (licensees === undefined || this.check.licenseeValue(licensees) > index) return [];
    switch (licensees.kind) {
      case 'nobody':
        return [];
      case 'principal':
        this.#names.set(licensees.principal.id, licensees.principal);
        return [licensees.principal.id];
      case 'all':
      case 'any':
      case 'threshold':
        return licensees.operands.flatMap((operand) => this.#lacking(operand, index));
    }
  }

  readonly #names = new Map<string, Principal>();

  #nobodySpeaksFor(id: string): Failure {
    const name = this.#names.get(id)?.fingerprint ?? 'POLICY';
    const message =
      id === POLICY_ID
        ? 'there is no policy'
        : `${name} did not request this, and no assertion by it was presented`;
    const principal = this.#names.get(id);
    return { kind: 'principal', message, text: message, ...(principal !== undefined && { principal }) };
  }

  #assertion(participant: Participant): AssertionReport {
    return this.#report(
      participant,
      participant.principals.map((principal) => this.principal(principal)),
    );
  }

  #report(participant: Participant, principals: readonly PrincipalReport[]): AssertionReport {
    const { assertion, source, position, authorizer, value, verdict } = participant;
    const checked =
      verdict === undefined ? 'unchecked' : verdict.verdict === 'verified' ? 'verified' : 'failed';
    return {
      source,
      position,
      authorizer,
      comment: assertion.comment,
      value: this.#name(value),
      index: value,
      signature: source === 'policy' ? 'trusted' : checked,
      licensees: participant.licensees && licenseesText(participant.licensees),
      failures: value < this.#maximum ? this.#failuresOf(participant, value) : [],
      principals,
    };
  }

  /** What in this assertion keeps it from a value above `index`, its licensees left aside. */
  #failuresOf(participant: Participant, index: number): Failure[] {
    const { assertion, verdict } = participant;
    if (verdict !== undefined && verdict.verdict !== 'verified') {
      const offset = assertion.fields.get('Signature')?.start;
      const kind = verdict.verdict === 'syntax' ? 'syntax' : 'signature';
      return [this.#failure(participant, kind, { message: verdict.reason, offset })];
    }
    const { conditions } = assertion;
    const nobody = participant.licensees?.kind === 'nobody';
    if (nobody) {
      const offset = assertion.fields.get('Licensees')?.start;
      return [this.#failure(participant, 'condition', { message: 'it licenses nobody', offset })];
    }
    if (conditions === undefined) return [];
    participant.conditions ??= this.check.evaluation(assertion).program(conditions);
    if (participant.conditions > index) return [];
    return this.#whyLow(conditions, participant)
      .slice(0, MOST_REASONS)
      .map((reason) => this.#failure(participant, 'condition', reason));
  }

  #whyLow(program: Program, participant: Participant): Reason[] {
    const { assertion } = participant;
    const evaluation = this.check.evaluation(assertion);
    const field = assertion.fields.get('Conditions');
    if (program.length === 0) return [{ message: 'the conditions are empty', offset: field?.start }];
    return program.flatMap((clause) => this.#whyClauseLow(clause, evaluation, assertion.text));
  }

  #whyClauseLow(clause: Clause, evaluation: Evaluation, text: string): Reason[] {
    const reasons = whyFalse(clause.test, evaluation, text);
    if (reasons.length > 0) return reasons;
    if (clause.block !== undefined) {
      if (clause.block.length === 0) return [{ message: 'this clause gives nothing', offset: clause.start }];
      return clause.block.flatMap((inner) => this.#whyClauseLow(inner, evaluation, text));
    }
    if (clause.value === undefined) return [];
    const value = this.#name(evaluation.value(clause.value));
    return [{ message: `this clause gives only \`${value}\``, offset: clause.start }];
  }

  #failure(participant: Participant, kind: Failure['kind'], reason: Reason): Failure {
    const { assertion, source, position, authorizer } = participant;
    const { comment } = assertion;
    const line = reason.offset === undefined ? undefined : lineOf(assertion.text, reason.offset);
    return {
      kind,
      message: reason.message,
      text: located(reason.message, line, `the ${NAMES[source]} by ${authorizer.fingerprint}`),
      source,
      position,
      authorizer,
      ...(comment !== undefined && { comment }),
      ...(line !== undefined && { line }),
      ...(reason.comparison !== undefined && { comparison: reason.comparison }),
    };
  }

  /** Assertions by a principal that took no part. */
  #voidBy(id: string | undefined): readonly Failure[] {
    this.#voids ??= this.#voidFailures();
    return this.#voids.get(id) ?? [];
  }

  #voids: Map<string | undefined, Failure[]> | undefined;

  /** By their author, where there is one. */
  #voidFailures(): Map<string | undefined, Failure[]> {
    const voids = new Map<string | undefined, Failure[]>();
    for (const { assertion, source, position, reason, line } of this.check.void) {
      const authorizer = this.#author(constantString(assertion.authorizer));
      const by =
        authorizer === undefined
          ? `${NAMES[source]} ${position + 1}`
          : `the ${NAMES[source]} by ${authorizer.fingerprint}`;
      const failure: Failure = {
        kind: 'syntax',
        message: reason,
        text: located(reason, line, by),
        source,
        position,
        ...(authorizer !== undefined && { authorizer }),
        ...(line !== undefined && { line }),
      };
      voids.set(authorizer?.id, [...(voids.get(authorizer?.id) ?? []), failure]);
    }
    return voids;
  }

  #author(text: string): Principal | undefined {
    try {
      return text === '' ? undefined : this.check.principal(text);
    } catch {
      return undefined;
    }
  }

  #by(id: string): readonly Participant[] {
    return this.#byAuthorizer.get(id) ?? [];
  }

  #name(index: number): string {
    return this.check.values[index] ?? '';
  }
}

/** Principals that together satisfy a licensees expression. */
function carrying(licensees: ResolvedLicensees, reached: (operand: ResolvedLicensees) => boolean): string[] {
  const all = (operands: readonly ResolvedLicensees[]): string[] =>
    operands.flatMap((operand) => carrying(operand, reached));
  switch (licensees.kind) {
    case 'nobody':
      return [];
    case 'principal':
      return [licensees.principal.id];
    case 'all':
      return all(licensees.operands);
    case 'any':
      return all(licensees.operands.filter(reached).slice(0, 1));
    case 'threshold':
      return all(licensees.operands.filter(reached).slice(0, licensees.count));
  }
}

/** Of one assertion: nobody reads thousands of alternatives, and each is looked up in the text. */
const MOST_REASONS = 32;

const CIRCULAR = 'the delegations lead in a circle, and to nobody who requested this';
const CIRCLE: Failure = { kind: 'principal', message: CIRCULAR, text: CIRCULAR };

const NAMES = { policy: 'policy assertion', credential: 'credential' };

function located(message: string, line: number | undefined, where: string): string {
  return line === undefined ? `${message}, in ${where}` : `${message}, line ${line}, in ${where}`;
}

/** `(rsa:01 && ed25519:02) || 2-of("a", "b", "c")`, with fingerprints for keys. */
function licenseesText(licensees: ResolvedLicensees): string {
  switch (licensees.kind) {
    case 'nobody':
      return 'nobody';
    case 'principal':
      return licensees.principal.fingerprint;
    case 'threshold':
      return `${licensees.count}-of(${licensees.operands.map(licenseesText).join(', ')})`;
    case 'any':
      return licensees.operands.map(licenseesText).join(' || ');
    case 'all':
      return licensees.operands
        .map((operand) => (operand.kind === 'any' ? `(${licenseesText(operand)})` : licenseesText(operand)))
        .join(' && ');
  }
}
