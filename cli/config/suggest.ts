/** The name that was probably meant: the nearest one, if it is near. */
export function suggest(wrong: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let distance = Math.min(wrong.length, Math.max(2, Math.floor(wrong.length / 3)) + 1);
  for (const name of names) {
    const d = editDistance(wrong.toLowerCase(), name.toLowerCase());
    if (d < distance) [best, distance] = [name, d];
  }
  return best;
}

/** Levenshtein's distance. The inputs are words of a configuration: short. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
