import assert from 'node:assert/strict';
import { parseAssertion, query } from '../index.js';

/** RFC 2704 6: the signatures there are fictitious, so the credentials are given as trusted. */
const A = `Authorizer: "POLICY"
Licensees: "RSA:abc123"
`;

const B = `KeyNote-Version: 2
Local-Constants: Alice="DSA:4401ff92"  # Alice's key
                 Bob="RSA:d1234f"      # Bob's key
Authorizer: "RSA:abc123"
Licensees: Alice || Bob
Conditions: (app_domain == "RFC822-EMAIL") &&
            (address ~=   # only applies to one domain
              "^.*@keynote\\\\.research\\\\.att\\\\.com$");
Signature: "RSA-SHA1:213354f9"
`;

const C = `KeyNote-Version: 2
Authorizer: "DSA:4401ff92"  # the Alice CA
Licensees: "DSA:12340987"   # mab's key
Conditions: ((app_domain == "RFC822-EMAIL") &&
             (name == "M. Blaze" || name == "") &&
             (address == "mab@keynote.research.att.com"));
Signature: "DSA-SHA1:ab23487"
`;

const D = `KeyNote-Version: "2"
Authorizer: "DSA:4401ff92"   # the Alice CA
Licensees: "DSA:abc991" ||   # jf's DSA key
           "RSA:cde773" ||   # jf's RSA key
           "BFIK:fd091a"     # jf's BFIK key
Conditions: ((app_domain == "RFC822-EMAIL") &&
             (name == "J. Feigenbaum" || name == "") &&
             (address == "jf@keynote.research.att.com"));
Signature: "DSA-SHA1:8912aa"
`;

const E = `Authorizer: "POLICY"
Licensees: "RSA:dab212"  # the CFO's key
Conditions: (app_domain=="SPEND") && (@dollars < 10000);
`;

const F = `KeyNote-Version: 2
Comment: This credential specifies a spending policy
Authorizer: "RSA:dab212"        # the CFO
Licensees: "DSA:feed1234" &&    # The vice president
               ("RSA:abc123" || # middle manager #1
                "DSA:bcd987" || # middle manager #2
                "DSA:cde333" || # middle manager #3
                "DSA:def975" || # middle manager #4
                "DSA:978add")   # middle manager #5
Conditions: (app_domain=="SPEND")  # note nested clauses
              -> { (@(dollars) < 2500)
                     -> _MAX_TRUST;
                   (@(dollars) < 7500)
                     -> "ApproveAndLog";
                 };
Signature: "RSA-SHA1:9867a1"
`;

const G = `Authorizer: "POLICY"
Licensees: 2-of("DSA:feed1234", # The VP
                "RSA:abc123",   # Middle management clones
                "DSA:bcd987",
                "DSA:cde333",
                "DSA:def975",
                "DSA:978add")
Conditions: (app_domain=="SPEND") &&
            (@(dollars) < 1000);
`;

/** The RFC has \`app_domain="SPEND"\` here, which its own grammar does not allow. */
const H = `KeyNote-Version: 2
Comment: This one credential is equivalent to six separate
         credentials, one for each VP and middle manager.
         Individually, they can spend up to $500, but if
         it's $100 or more, we log it.
Authorizer: "RSA:dab212"      # From the CFO
Licensees: "DSA:feed1234" ||  # The VP
           "RSA:abc123" ||    # The middle management clones
           "DSA:bcd987" ||
           "DSA:cde333" ||
           "DSA:def975" ||
           "DSA:978add"
Conditions: (app_domain=="SPEND")  # nested clauses
              -> { (@(dollars) < 100) -> _MAX_TRUST;
                   (@(dollars) < 500) -> "ApproveAndLog";
                 };
Signature: "RSA-SHA1:186123"
`;

function ask(
  texts: readonly string[],
  authorizers: readonly string[],
  attributes: Readonly<Record<string, string>>,
  values: readonly string[] = ['false', 'true'],
): string {
  const policy = texts.map((text) => parseAssertion(text));
  for (const { faults } of policy) assert.deepEqual(faults, []);
  return query({ policy, authorizers, attributes, values }).value;
}

describe('KeyNote: RFC 2704 6', () => {
  const email = (authorizer: string, address: string, name?: string): string =>
    ask([A, B, C, D], [authorizer], {
      app_domain: 'RFC822-EMAIL',
      address,
      ...(name !== undefined && { name }),
    });

  it('1. policy A and credentials B, C and D accept mail by mab', () => {
    assert.equal(email('DSA:12340987', 'mab@keynote.research.att.com'), 'true');
    assert.equal(email('DSA:12340987', 'mab@keynote.research.att.com', 'M. Blaze'), 'true');
  });

  it('1. and do not accept another address, another key or another name', () => {
    assert.equal(email('DSA:12340987', 'angelos@dsl.cis.upenn.edu'), 'false');
    assert.equal(email('DSA:abc991', 'mab@keynote.research.att.com', 'M. Blaze'), 'false');
    assert.equal(email('DSA:12340987', 'mab@keynote.research.att.com', 'J. Feigenbaum'), 'false');
  });

  const VALUES = ['Reject', 'ApproveAndLog', 'Approve'];
  for (const [authorizers, dollars, expected] of [
    ['DSA:978add', '45', 'Approve'],
    ['RSA:abc123,DSA:cde333', '550', 'Approve'],
    ['DSA:feed1234,DSA:cde333', '5500', 'ApproveAndLog'],
    ['DSA:cde333', '150', 'ApproveAndLog'],
    ['DSA:def975', '550', 'Reject'],
    ['DSA:cde333,DSA:978add', '5500', 'Reject'],
  ] as const) {
    it(`2. policies E and G and credentials F and H: ${authorizers} spends ${dollars}: ${expected}`, () => {
      const attributes = { app_domain: 'SPEND', dollars, unmentioned_attribute: 'whatever' };
      assert.equal(ask([E, F, G, H], authorizers.split(','), attributes, VALUES), expected);
    });
  }
});

describe('KeyNote: examples in the text of RFC 2704', () => {
  const holds = (test: string, attributes: Readonly<Record<string, string>> = {}): boolean =>
    ask([`Authorizer: "POLICY"\nLicensees: "req"\nConditions: ${test};\n`], ['req'], attributes) === 'true';

  it('the four strings of 4.3.1 are equivalent', () => {
    const first = '"this string contains a newline\\n followed by one space."';
    for (const other of [
      '"this string contains a newline\\n \\\n     followed by one space."',
      '"this str\\\n           ing contains a \\\n             newline\\n followed by one space."',
      '"this string contains a newline\\012\\040followed by one space."',
    ]) {
      assert.ok(holds(`${first} == ${other}`), other);
    }
    assert.ok(holds('text == "like \\"this\\"."', { text: 'like "this".' }));
  });

  it('the comparisons of 4.4 are all true', () => {
    const attributes = { foo: 'bar', bar: 'xyz', xyz: 'qua' };
    for (const test of [
      'foo == "bar"',
      '$("foo") == "bar"',
      '$foo == "xyz"',
      '$(foo) == "xyz"',
      '$$foo == "qua"',
    ]) {
      assert.ok(holds(test, attributes), test);
    }
    assert.ok(holds('foo == "1.2" && @foo == 1 && &foo > 1.1 && &foo < 1.3', { foo: '1.2' }));
  });

  it('5.3.4: the highest of all successful clauses counts', () => {
    const text = `Authorizer: "POLICY"
Licensees: "req"
Conditions:
    @user_id == 0 -> "full_access";             # clause (1)
    @user_id < 1000 -> "user_access";           # clause (2)
    @user_id < 10000 -> "guest_access";         # clause (3)
    user_name == "root" -> "full_access";       # clause (4)
`;
    const values = ['no_access', 'guest_access', 'user_access', 'full_access'];
    assert.equal(ask([text], ['req'], { user_id: '1073', user_name: 'root' }, values), 'full_access');
    assert.equal(ask([text], ['req'], { user_id: '19283', user_name: 'nobody' }, values), 'no_access');
  });

  it('5.3.5: with K = 3 and orders (0, 1, 2, 2, 3) the value of the threshold is of order 2', () => {
    const delegations = [0, 1, 2, 2, 3].map(
      (order, i) => `Authorizer: "p${i}"\nLicensees: "req"\nConditions: true -> "v${order}";\n`,
    );
    const policy = 'Authorizer: "POLICY"\nLicensees: 3-of("p0", "p1", "p2", "p3", "p4")\n';
    assert.equal(ask([policy, ...delegations], ['req'], {}, ['v0', 'v1', 'v2', 'v3']), 'v2');
  });

  it('5.3.5: ("alice" && "bob") || "eve"', () => {
    const policy = 'Authorizer: "POLICY"\nLicensees: ("alice" && "bob") || "eve"\n';
    assert.equal(ask([policy], ['alice'], {}, ['no', 'yes']), 'no');
    assert.equal(ask([policy], ['alice', 'bob'], {}, ['no', 'yes']), 'yes');
  });
});
