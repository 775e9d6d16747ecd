import { presentable } from '../payment/refusal.js';

/** Why a claim is not accepted, on its way to the answer. Its message is one printable line. */
export class ClaimRefused extends Error {
  constructor(text: string) {
    super(presentable(text));
    this.name = 'ClaimRefused';
  }
}

export function refuse(text: string): never {
  throw new ClaimRefused(text);
}
