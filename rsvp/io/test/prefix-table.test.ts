import assert from 'node:assert/strict';
import { parsePrefix, PrefixTable } from '../prefix-table.js';

describe('prefix table', () => {
  const table = new PrefixTable<string>();
  for (const prefix of [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    'fd01::/64',
    'fd01::1:0:0:0/80',
  ])
    table.set(parsePrefix(prefix)!, prefix);

  const EXPECTED: Readonly<Record<string, string | undefined>> = {
    '192.0.2.1': '0.0.0.0/0',
    '10.255.0.1': '10.0.0.0/8',
    '10.1.2.4': '10.1.0.0/16',
    '10.1.2.3': '10.1.2.3',
    'fd01::5': 'fd01::/64',
    'fd01::1:0:0:7': 'fd01::1:0:0:0/80',
    'fd02::1': undefined,
    nonsense: undefined,
  };
  for (const [address, prefix] of Object.entries(EXPECTED)) {
    it(`${address} is found by the longest prefix that holds it: ${prefix ?? 'none'}`, () => {
      assert.equal(table.find(address), prefix);
    });
  }

  it('host bits of a prefix are ignored', () => {
    assert.deepEqual(parsePrefix('10.1.2.3/8'), parsePrefix('10.0.0.0/8'));
  });

  for (const text of ['10.0.0.0/33', 'fd00::/129', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', '', 'default']) {
    it(`\`${text}\` is no prefix`, () => {
      assert.equal(parsePrefix(text), undefined);
    });
  }
});
