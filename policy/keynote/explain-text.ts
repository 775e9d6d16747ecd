import type { AssertionReport, Explanation, Failure, PrincipalReport } from './explain.js';
import type { Principal } from './principal.js';

export interface ExplanationStyle {
  /** What people call a principal; its fingerprint otherwise. */
  readonly name?: (principal: Principal) => string | undefined;
}

/** An explanation as a tree for people: who licenses whom, with what value, and what stood in the way. */
export function formatExplanation(explanation: Explanation, style: ExplanationStyle = {}): string {
  const lines = [explanation.value, ...principalLines(explanation.root, '', style)];
  if (explanation.failures.length > 0) {
    lines.push(
      '',
      'because',
      ...explanation.failures.map((failure) => `  ${renamed(failure.text, failure, style)}`),
    );
  }
  return lines.join('\n');
}

function principalLines(report: PrincipalReport, indent: string, style: ExplanationStyle): string[] {
  const marks = [report.value, report.requester ? 'requester' : '', report.repeated ? 'see above' : ''];
  const name = report.principal.text === 'POLICY' ? 'POLICY' : called(report.principal, style);
  const head = `${name} (${marks.filter((mark) => mark !== '').join(', ')})`;
  return [
    head,
    ...branches(
      report.assertions.map((assertion) => assertionLines(assertion, style)),
      indent,
    ),
  ];
}

function assertionLines(report: AssertionReport, style: ExplanationStyle): string[] {
  const label = `${report.source} ${report.position + 1}`;
  const comment = report.comment === undefined ? '' : ` "${report.comment.slice(0, 60)}"`;
  const signature = report.signature === 'trusted' ? '' : `, signature ${report.signature}`;
  const head = `${label}${comment}: ${report.value}${signature}, licenses ${report.licensees ?? 'everybody'}`;
  const failures = report.failures.map(({ message, line }) => [
    line === undefined ? message : `line ${line}: ${message}`,
  ]);
  const principals = report.principals.map((principal) => principalLines(principal, '', style));
  return [head, ...branches([...failures, ...principals], '')];
}

/** Draws blocks of lines as the branches of what is above them. */
function branches(blocks: readonly (readonly string[])[], indent: string): string[] {
  return blocks.flatMap((block, i) => {
    const isLast = i === blocks.length - 1;
    return block.map((line, row) => {
      const stem = row === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  ';
      return `${indent}${stem}${line}`;
    });
  });
}

function called(principal: Principal, style: ExplanationStyle): string {
  return style.name?.(principal) ?? principal.fingerprint;
}

function renamed(text: string, { authorizer }: Failure, style: ExplanationStyle): string {
  const name = authorizer && style.name?.(authorizer);
  return authorizer === undefined || name === undefined ? text : text.replace(authorizer.fingerprint, name);
}
