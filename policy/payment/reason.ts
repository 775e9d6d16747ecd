import type { Answer, Comparison, Failure, Principal } from '../keynote/index.js';
import { printable } from '../../rsvp/wire/index.js';
import type { Refusal, RefusalReason } from './refusal.js';

/** An attribute that was above what a comparison allows, and so a reason of its own. */
const ABOVE: Readonly<Partial<Record<string, RefusalReason>>> = {
  bandwidth: 'bandwidth-exceeded',
  date: 'expired',
  total: 'total-exceeded',
  exposure: 'total-exceeded',
};

/**
 * Why a query did not grant, in one line: the credential, the line, the values. Wrong signatures come first, then
 * conditions of credentials, then the rest; how many more there are is said.
 */
export function whyRefused(answer: Answer, names: ReadonlyMap<string, string> = new Map()): Refusal {
  const failures = [...answer.explanation.failures].sort((a, b) => rank(a) - rank(b));
  const [first] = failures;
  if (first === undefined)
    return { reason: 'not-authorized', text: 'nothing leads from the policy to a requester' };
  const more = failures.length === 1 ? '' : ` (and ${failures.length - 1} more)`;
  return { reason: reasonOf(first), text: `${phrase(first, names)}${more}` };
}

function rank(failure: Failure): number {
  if (failure.kind === 'signature') return 0;
  if (failure.kind === 'condition') return failure.source === 'credential' ? 1 : 2;
  return failure.kind === 'syntax' ? 3 : 4;
}

function reasonOf(failure: Failure): RefusalReason {
  if (failure.kind === 'signature') return 'bad-signature';
  if (failure.kind === 'syntax') return 'bad-credential';
  const attribute = failure.comparison && attributeAbove(failure.comparison);
  return (attribute === undefined ? undefined : ABOVE[attribute]) ?? 'not-authorized';
}

/** `date` of `date < "20071120"` and of `"20071120" > date`; of `date >= "20071120"` nothing: it has not begun. */
export function attributeAbove({
  expression,
  relation,
  against,
  found,
  expected,
}: Comparison): string | undefined {
  switch (relation) {
    case '<':
    case '<=':
      return attributeOf(expression);
    case '>':
    case '>=':
      return attributeOf(against);
    case '==':
      return attributeOf(found > expected ? expression : against);
    case '!=':
    case '~=':
      return undefined;
  }
}

/** Of `&bandwidth`, `(&bandwidth / 1000.0)`, `date . time`: the first that is named. */
function attributeOf(expression: string): string | undefined {
  return /^[(&@\s-]*([A-Za-z_]\w*)/.exec(expression)?.[1];
}

/** `amount 0.60 is not < 0.56, line 7, in the credit authorization by Martha` */
function phrase(failure: Failure, names: ReadonlyMap<string, string>): string {
  const { message, line, source, comment, authorizer, principal } = failure;
  if (principal !== undefined) {
    const name = nameOf(principal, names);
    return `${name} did not request this, and no assertion by ${name} was presented`;
  }
  if (authorizer === undefined) return message;
  const what = source === 'policy' ? 'policy' : titleOf(comment);
  return [
    message,
    ...(line === undefined ? [] : [`line ${line}`]),
    `in the ${what} by ${nameOf(authorizer, names)}`,
  ].join(', ');
}

/** A credential's own Comment, where it is short enough to be its title. */
export function titleOf(comment: string | undefined): string {
  const title = comment === undefined ? '' : printable(Buffer.from(comment, 'latin1'));
  return title === '' || title.length > 40 ? 'credential' : title;
}

export function nameOf(principal: Principal, names: ReadonlyMap<string, string>): string {
  return names.get(principal.id) ?? principal.fingerprint;
}
