/** The part of binary-parser that we use; its own types are not reachable through its `exports`. */
declare module 'binary-parser' {
  export class Parser {
    uint8(name: string): this;
    uint16(name: string): this;
    uint32(name: string): this;
    int32(name: string): this;
    uint64(name: string): this;
    floatbe(name: string): this;
    buffer(name: string, options: { length: number }): this;
    [bits: `bit${number}`]: (name: string) => this;
    getCode(): string;
  }
}
