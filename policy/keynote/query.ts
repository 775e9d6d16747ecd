import { algorithmPolicy } from './algorithms.js';
import type { AlgorithmChoice, AlgorithmPolicy } from './algorithms.js';
import type { Assertion } from './assertion.js';
import type { Licensees, StringNode } from './ast.js';
import type { CredentialCache } from './cache.js';
import { KeyNoteKeyError, KeyNoteQueryError, KeyNoteRuntimeError } from './error.js';
import { Evaluation } from './evaluate.js';
import type { Environment } from './evaluate.js';
import { explain } from './explain.js';
import type { Explanation } from './explain.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { Limits } from './limits.js';
import { parsePrincipal, POLICY_ID } from './principal.js';
import type { Principal } from './principal.js';
import { constantString, isConstant, verifySignature } from './signature.js';
import type { Verdict } from './signature.js';

/** RFC 2704 5.1. */
export interface Query {
  /** Assertions that are trusted as they are: their signatures are not looked at (RFC 2704 5.4). */
  readonly policy: readonly Assertion[];
  /** Assertions whose signatures are checked. */
  readonly credentials?: readonly Assertion[];
  /** Who requests the action. */
  readonly authorizers: readonly string[];
  /** The compliance values, lowest first; default `false`, `true`. */
  readonly values?: readonly string[];
  /** The action attribute set. Names may not start with an underscore. */
  readonly attributes?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
  /** Attributes that one assertion alone sees, in place of those of the same names: what is true of it, not of the action. */
  readonly attributesOf?: (assertion: Assertion) => ReadonlyMap<string, string> | undefined;
  /** Which signatures count; default `modern`. */
  readonly algorithms?: AlgorithmChoice;
  /** What an integer beyond 32 bits is: see `Environment`. Default `wrap`. */
  readonly integers?: 'wrap' | 'refuse';
  readonly limits?: Limits;
  /** Told of each credential whose signature turned out to be right. */
  readonly cache?: CredentialCache;
}

/** What is asked about, without the assertions. */
export type Action = Pick<
  Query,
  'authorizers' | 'values' | 'attributes' | 'attributesOf' | 'integers' | 'limits'
>;

export interface Answer {
  /** The Policy Compliance Value (RFC 2704 5.3). */
  readonly value: string;
  /** Its place among the values: 0 is _MIN_TRUST. */
  readonly index: number;
  /** Why; worked out when it is asked for, and only then. */
  readonly explanation: Explanation;
}

const BOOLEAN = ['false', 'true'];

/**
 * The Policy Compliance Value of an action (RFC 2704 5.3): the least values of all principals that agree
 * with 5.3.1 to 5.3.5. They are found from the requesters upwards, so that cycles need no special care.
 * Signatures are checked last, and only of credentials that the answer depends on. Throws
 * `KeyNoteQueryError` where the query itself is wrong.
 */
export function query(parameters: Query): Answer {
  const evaluation = new ComplianceCheck(parameters);
  const index = evaluation.run();
  let explanation: Explanation | undefined;
  return {
    value: evaluation.values[index] ?? '',
    index,
    get explanation() {
      return (explanation ??= explain(evaluation));
    },
  };
}

/** An assertion's part in one query. */
export interface Participant {
  readonly assertion: Assertion;
  readonly source: 'policy' | 'credential';
  /** Its place in that list. */
  readonly position: number;
  readonly authorizer: Principal;
  /** Undefined where everybody is licensed. */
  readonly licensees: ResolvedLicensees | undefined;
  /** All of them. */
  readonly principals: readonly Principal[];
  /** The Conditions Compliance Value, once it was needed. */
  conditions: number | undefined;
  /** The Assertion Compliance Value. */
  value: number;
  verdict: Verdict | undefined;
}

type Resolution =
  | {
      readonly authorizer: Principal;
      readonly licensees: ResolvedLicensees | undefined;
      readonly principals: readonly Principal[];
    }
  | { readonly reason: string; readonly line: number | undefined };

const RESOLUTIONS = new WeakMap<Assertion, Resolution>();

/** Licensees whose names are principals. */
export type ResolvedLicensees =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'principal'; readonly principal: Principal }
  | { readonly kind: 'all' | 'any'; readonly operands: readonly ResolvedLicensees[] }
  | { readonly kind: 'threshold'; readonly count: number; readonly operands: readonly ResolvedLicensees[] };

/** An assertion that takes no part, and why. */
export interface VoidAssertion {
  readonly assertion: Assertion;
  readonly source: 'policy' | 'credential';
  readonly position: number;
  readonly reason: string;
  /** In the assertion, from 1, where known. */
  readonly line: number | undefined;
}

export class ComplianceCheck {
  readonly values: readonly string[];
  readonly environment: Environment;
  readonly #attributesOf: Query['attributesOf'];
  readonly policy: AlgorithmPolicy;
  readonly participants: Participant[] = [];
  readonly void: VoidAssertion[] = [];
  /** By principal: those who request, and the Principal Compliance Values above _MIN_TRUST. */
  readonly requesters = new Map<string, Principal>();
  readonly principalValues = new Map<string, number>();
  readonly #byLicensee = new Map<string, Participant[]>();
  readonly #cache: CredentialCache | undefined;
  readonly #resolved = new Map<string, Principal>();

  constructor(parameters: Query) {
    this.values = parameters.values ?? BOOLEAN;
    this.policy = algorithmPolicy(parameters.algorithms);
    this.#cache = parameters.cache;
    for (const text of parameters.authorizers) this.#addRequester(text);
    this.environment = environmentOf(parameters, this.values);
    this.#attributesOf = parameters.attributesOf;
    const { policy, credentials = [] } = parameters;
    const { limits } = this.environment;
    if (policy.length + credentials.length > limits.assertions) {
      throw new KeyNoteQueryError('query', `more than ${limits.assertions} assertions`);
    }
    policy.forEach((assertion, i) => this.#add(assertion, 'policy', i));
    if (policy.length > 0 && policy.every((assertion) => assertion.authorizer === undefined)) {
      throw new KeyNoteQueryError('query', 'no assertion of the policy says whom it is by');
    }
    credentials.forEach((assertion, i) => this.#add(assertion, 'credential', i));
  }

  /** The index of the Policy Compliance Value. */
  run(): number {
    this.#propagate();
    if (this.valueOf(POLICY_ID) === 0) return 0;
    if (!this.#verifyRelevant()) this.#restart();
    return this.valueOf(POLICY_ID);
  }

  /** The Principal Compliance Value (RFC 2704 5.3.1). */
  valueOf(id: string): number {
    return this.principalValues.get(id) ?? 0;
  }

  principal(text: string): Principal {
    const known = this.#resolved.get(text) ?? this.#cache?.principal(text);
    if (known !== undefined) return known;
    const principal = parsePrincipal(text);
    this.#resolved.set(text, principal);
    return principal;
  }

  #addRequester(text: string): void {
    try {
      const principal = this.principal(text);
      this.requesters.set(principal.id, principal);
    } catch (error) {
      if (!(error instanceof KeyNoteKeyError)) throw error;
      throw new KeyNoteQueryError('authorizer', `authorizer \`${text.slice(0, 60)}\`: ${error.message}`);
    }
  }

  #add(assertion: Assertion, source: 'policy' | 'credential', position: number): void {
    const resolution = this.#resolution(assertion);
    if (!('authorizer' in resolution)) {
      this.void.push({ assertion, source, position, ...resolution });
    } else if (source === 'credential' && !resolution.authorizer.isKey) {
      // Nobody can sign for POLICY: it is local (RFC 2704 2).
      const reason = 'its authorizer is no key, so nobody can have signed it';
      this.void.push({ assertion, source, position, reason, line: undefined });
    } else {
      this.participants.push({
        assertion,
        source,
        position,
        authorizer: resolution.authorizer,
        licensees: resolution.licensees,
        principals: resolution.principals,
        conditions: undefined,
        value: 0,
        verdict: undefined,
      });
    }
  }

  /** Whom an assertion names; the same in every query, but for attributes in Authorizer and Licensees. */
  #resolution(assertion: Assertion): Resolution {
    const known = RESOLUTIONS.get(assertion);
    if (known !== undefined) return known;
    const resolution = this.#resolveAll(assertion);
    if (this.#isConstant) RESOLUTIONS.set(assertion, resolution);
    return resolution;
  }

  #resolveAll(assertion: Assertion): Resolution {
    this.#isConstant = true;
    const [fault] = assertion.faults;
    if (fault !== undefined || assertion.authorizer === undefined) {
      return { reason: fault?.message ?? 'the authorizer cannot be read', line: fault?.line };
    }
    try {
      const authorizer = this.#principalOf(assertion.authorizer, assertion.constants);
      const licensees = assertion.licensees && this.#resolve(assertion.licensees, assertion.constants);
      return { authorizer, licensees, principals: licensees === undefined ? [] : principalsOf(licensees) };
    } catch (error) {
      if (!(error instanceof KeyNoteKeyError || error instanceof KeyNoteRuntimeError)) throw error;
      return { reason: error.message, line: undefined };
    }
  }

  #isConstant = true;

  #principalOf(node: StringNode, constants: ReadonlyMap<string, string>): Principal {
    if (isConstant(node)) return this.principal(constantString(node));
    this.#isConstant = false;
    return this.principal(new Evaluation(this.environment, constants).string(node));
  }

  #resolve(licensees: Licensees, constants: ReadonlyMap<string, string>): ResolvedLicensees {
    switch (licensees.kind) {
      case 'nobody':
        return licensees;
      case 'principal':
        return { kind: 'principal', principal: this.#principalOf(licensees.of, constants) };
      case 'all':
      case 'any':
      case 'threshold':
        return {
          ...licensees,
          operands: licensees.operands.map((operand) => this.#resolve(operand, constants)),
        };
    }
  }

  /** Raises values until nothing rises any more. Each rises at most as often as there are values. */
  #propagate(): void {
    const { maximum } = this.environment;
    const risen: string[] = [];
    for (const participant of this.participants) this.#listen(participant);
    for (const id of this.requesters.keys()) {
      this.principalValues.set(id, maximum);
      risen.push(id);
    }
    for (const participant of this.participants) {
      if (participant.licensees === undefined) this.#raise(participant, risen);
    }
    for (let id = risen.pop(); id !== undefined; id = risen.pop()) {
      for (const participant of this.#byLicensee.get(id) ?? []) this.#raise(participant, risen);
    }
  }

  #listen(participant: Participant): void {
    for (const { id } of participant.principals) {
      const listeners = this.#byLicensee.get(id);
      if (listeners === undefined) this.#byLicensee.set(id, [participant]);
      else if (listeners.at(-1) !== participant) listeners.push(participant);
    }
  }

  /** The Assertion Compliance Value (RFC 2704 5.3.3), and with it its authorizer's value. */
  #raise(participant: Participant, risen: string[]): void {
    if (participant.verdict !== undefined && participant.verdict.verdict !== 'verified') return;
    const licensees = this.licenseeValue(participant.licensees);
    if (licensees <= participant.value) return;
    participant.conditions ??= this.#conditionsValue(participant.assertion);
    const value = Math.min(licensees, participant.conditions);
    if (value <= participant.value) return;
    participant.value = value;
    const { id } = participant.authorizer;
    if (value <= this.valueOf(id)) return;
    this.principalValues.set(id, value);
    risen.push(id);
  }

  /** What an assertion's conditions are evaluated in. */
  evaluation(assertion: Assertion): Evaluation {
    return evaluationOf(assertion, this.environment, this.#attributesOf);
  }

  /** The Conditions Compliance Value (RFC 2704 5.3.4). */
  #conditionsValue(assertion: Assertion): number {
    const { conditions } = assertion;
    if (conditions === undefined) return this.environment.maximum;
    return this.evaluation(assertion).program(conditions);
  }

  /** The Licensee Compliance Value (RFC 2704 5.3.5). */
  licenseeValue(
    licensees: ResolvedLicensees | undefined,
    valueOf = (id: string): number => this.valueOf(id),
  ): number {
    if (licensees === undefined) return this.environment.maximum;
    switch (licensees.kind) {
      case 'nobody':
        return 0;
      case 'principal':
        return valueOf(licensees.principal.id);
      case 'all':
        return licensees.operands.reduce(
          (least, operand) => (least === 0 ? 0 : Math.min(least, this.licenseeValue(operand, valueOf))),
          this.environment.maximum,
        );
      case 'any':
        return licensees.operands.reduce(
          (most, operand) => Math.max(most, this.licenseeValue(operand, valueOf)),
          0,
        );
      case 'threshold': {
        const values = licensees.operands.map((operand) => this.licenseeValue(operand, valueOf));
        return values.sort((a, b) => b - a)[licensees.count - 1] ?? 0;
      }
    }
  }

  /** Checks the signatures that POLICY's value may rest on. False where one was wrong. */
  #verifyRelevant(): boolean {
    const byAuthorizer = new Map<string, Participant[]>();
    for (const participant of this.participants) {
      if (participant.value === 0) continue;
      const { id } = participant.authorizer;
      const others = byAuthorizer.get(id);
      if (others === undefined) byAuthorizer.set(id, [participant]);
      else others.push(participant);
    }
    let sound = true;
    const reached = new Set([POLICY_ID]);
    for (const id of reached) {
      for (const participant of byAuthorizer.get(id) ?? []) {
        if (participant.source === 'credential' && !this.verify(participant)) sound = false;
        else for (const licensee of participant.principals) reached.add(licensee.id);
      }
    }
    return sound;
  }

  verify(participant: Participant): boolean {
    const { assertion, authorizer } = participant;
    if (this.#wrongSignatures >= this.environment.limits.wrongSignatures) participant.verdict ??= UNREAD;
    participant.verdict ??= assertion.verdict(authorizer, this.policy, () =>
      verifySignature(assertion, authorizer, this.policy),
    );
    if (participant.verdict.verdict !== 'verified') {
      this.#wrongSignatures++;
      return false;
    }
    this.#cache?.keep(assertion, authorizer);
    return true;
  }

  #wrongSignatures = 0;

  /** Once more, without the credentials whose signatures were wrong. */
  #restart(): void {
    this.principalValues.clear();
    this.#byLicensee.clear();
    for (const participant of this.participants) participant.value = 0;
    this.#propagate();
  }
}

const UNREAD: Verdict = {
  verdict: 'failed',
  reason: 'the signature was not looked at: too many were wrong before',
};

function principalsOf(licensees: ResolvedLicensees): Principal[] {
  switch (licensees.kind) {
    case 'nobody':
      return [];
    case 'principal':
      return [licensees.principal];
    case 'all':
    case 'any':
    case 'threshold':
      return licensees.operands.flatMap(principalsOf);
  }
}

/**
 * The Conditions Compliance Value (RFC 2704 5.3.4) of one assertion, as an index among the values, whoever it is by and
 * whomever it licenses.
 */
export function conditionsValue(assertion: Assertion, action: Action): number {
  const environment = environmentOf(action, action.values ?? BOOLEAN);
  const { conditions } = assertion;
  return conditions === undefined
    ? environment.maximum
    : evaluationOf(assertion, environment, action.attributesOf).program(conditions);
}

/** An assertion's own attributes stand where its constants do: before those of the action. */
function evaluationOf(
  assertion: Assertion,
  environment: Environment,
  attributesOf: Query['attributesOf'],
): Evaluation {
  const { constants } = assertion;
  const own = attributesOf?.(assertion);
  return own === undefined
    ? new Evaluation(environment, constants)
    : new Evaluation(environment, constants, own);
}

function environmentOf(action: Action, values: readonly string[]): Environment {
  if (values.length === 0) throw new RangeError('values must not be empty');
  const order = new Map<string, number>();
  values.forEach((value, i) => order.has(value) || order.set(value, i));
  const limits = action.limits ?? DEFAULT_LIMITS;
  return {
    attributes: attributeSet(action, values),
    order,
    maximum: values.length - 1,
    integers: action.integers ?? 'wrap',
    limits,
    work: limits.work,
  };
}

/** The action attribute set with the special attributes of RFC 2704 5.1.1 and 5.1.2. */
function attributeSet(
  { attributes = {}, authorizers }: Action,
  values: readonly string[],
): Map<string, string> {
  const set = new Map<string, string>();
  const pairs = attributes instanceof Map ? attributes : Object.entries(attributes as Record<string, string>);
  for (const [name, value] of pairs as Iterable<[string, unknown]>) {
    if (name.startsWith('_')) {
      throw new KeyNoteQueryError(
        'attribute',
        `attribute \`${name.slice(0, 60)}\` starts with an underscore`,
      );
    }
    if (typeof value !== 'string')
      throw new KeyNoteQueryError('attribute', `attribute \`${name}\` is no string`);
    // A name that is no <AttributeID> cannot be dereferenced (RFC 2704 4.4).
    if (isAttributeId(name)) set.set(name, value);
  }
  set.set('_MIN_TRUST', values[0] ?? '');
  set.set('_MAX_TRUST', values.at(-1) ?? '');
  set.set('_VALUES', values.join(','));
  // RFC 2704 gives no order; the recorded implementation's is the last first.
  set.set('_ACTION_AUTHORIZERS', [...authorizers].reverse().join(','));
  return set;
}

/** `[A-Za-z_][A-Za-z0-9_]*`; every name of every query passes here. */
function isAttributeId(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
    if (!isLetter && (i === 0 || code < 0x30 || code > 0x39)) return false;
  }
  return name !== '';
}
