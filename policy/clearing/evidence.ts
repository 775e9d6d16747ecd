import { credentialDigest, KeyNoteSyntaxError, STRANGER_LIMITS } from '../keynote/index.js';
import type { Assertion, CredentialCache } from '../keynote/index.js';
import type { Assertions, Claim } from './deposit.js';
import { refuse } from './refuse.js';
import type { ClaimLimits } from './terms.js';

/** The credentials that came with a request. A text is hashed once, and parsed when a claim first needs it. */
export class Evidence {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #checked = new Map<string, string | undefined>();

  constructor(
    assertions: Assertions,
    private readonly cache: CredentialCache,
  ) {
    this.#texts = new Map(Object.entries(assertions));
  }

  /** Throws `ClaimRefused`. */
  credentialsOf({ credentials }: Pick<Claim, 'credentials'>, limits: ClaimLimits): Assertion[] {
    let octets = 0;
    const texts = credentials.map((digest, i) => {
      const text = this.#texts.get(digest);
      if (text === undefined)
        return refuse(`credential ${i + 1} is ${digest.slice(0, 64)}, which was not sent`);
      octets += text.length;
      if (octets > limits.octets) return refuse(`the credentials have more than ${limits.octets} octets`);
      const problem = this.#problem(digest, text);
      return problem === undefined ? text : refuse(`credential ${i + 1} ${problem}`);
    });
    return texts.map((text, i) => this.#parse(text, i));
  }

  /** The texts of these digests. */
  *texts(digests: Iterable<string>): Iterable<[string, string]> {
    for (const digest of digests) {
      const text = this.#texts.get(digest);
      if (text !== undefined) yield [digest, text];
    }
  }

  #problem(digest: string, text: string): string | undefined {
    if (!this.#checked.has(digest)) this.#checked.set(digest, textProblem(digest, text));
    return this.#checked.get(digest);
  }

  #parse(text: string, i: number): Assertion {
    try {
      return this.cache.parse(text);
    } catch (error) {
      if (!(error instanceof KeyNoteSyntaxError)) throw error;
      return refuse(`credential ${i + 1}, line ${error.line}: ${error.message}`);
    }
  }
}

/** What is wrong with an assertion's text as evidence. */
export function textProblem(digest: string, text: string): string | undefined {
  const { textLength } = STRANGER_LIMITS;
  if (text.length > textLength) return `has ${text.length} octets, at most ${textLength} are taken`;
  // A character beyond Latin-1 is no octet: two texts would have one digest. And no database stores a NUL.
  if (/[\u0100-\uffff]/.test(text) || text.includes('\0')) return 'is not text of octets from 1 to 255';
  const found = credentialDigest(text);
  return found === digest ? undefined : `is called ${digest.slice(0, 64)}, but its SHA-256 is ${found}`;
}
