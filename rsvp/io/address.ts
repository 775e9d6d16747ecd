/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast(address: string): boolean {
  if (address.includes(':')) return /^ff..:/i.test(address);
  const first = Number.parseInt(address, 10);
  return first >= 224 && first < 240;
}
