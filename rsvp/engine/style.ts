import { FF, SE, Style, WF } from '../wire/index.js';
import type { WireObject } from '../wire/index.js';

export type StyleName = 'FF' | 'SE' | 'WF';

const VECTORS: Readonly<Record<StyleName, number>> = { FF, SE, WF };

export function readStyle(optionVector: number): StyleName | undefined {
  switch (optionVector & 0b11111) {
    case FF:
      return 'FF';
    case SE:
      return 'SE';
    case WF:
      return 'WF';
    default:
      return undefined;
  }
}

export function styleObject(style: StyleName): WireObject {
  return Style.make({ flags: 0, optionVector: VECTORS[style] });
}

/** Value of error code 5: the low 16 bits of the existing style's option vector (RFC 2205 Appendix B). */
export function styleValue(style: StyleName): number {
  return VECTORS[style] & 0xffff;
}
