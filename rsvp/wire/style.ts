/** Reservation styles (RFC 2205 A.7): the low bits of the option vector; the others are reserved. */
export const FF = 0b01010;
export const WF = 0b10001;
export const SE = 0b10010;

const STYLES: Readonly<Record<number, string>> = { [FF]: 'FF', [WF]: 'WF', [SE]: 'SE' };

/** `FF` of an option vector; the bits where it is no style of RFC 2205. */
export function styleName(optionVector: number): string {
  const style = optionVector & 0b11111;
  return STYLES[style] ?? `unknown(${style.toString(2).padStart(5, '0')})`;
}
