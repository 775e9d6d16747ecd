import type { Statement } from './statement.js';

const COLUMNS = [
  ...(['entry', 'at', 'kind', 'counterparty', 'reference'] as const),
  ...(['reservation', 'nonce', 'amount', 'balance'] as const),
];

/** RFC 4180; a line for the opening and one for the closing balance around the others. */
export function statementCsv({ opening, lines, closing }: Statement): string {
  const rows = [
    COLUMNS,
    balanceRow('opening', opening),
    ...lines.map((line) => COLUMNS.map((column) => line[column])),
    balanceRow('closing', closing),
  ];
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function balanceRow(kind: string, balance: string): string[] {
  const known = new Map<string, string>([
    ['kind', kind],
    ['balance', balance],
  ]);
  return COLUMNS.map((column) => known.get(column) ?? '');
}

/** A spreadsheet takes `=1+1` for a formula; numbers are ours and stay as they are. */
function cell(value: string | number): string {
  const text = String(value);
  const safe = /^[=+@\t\r]|^-(?![\d.]+$)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
