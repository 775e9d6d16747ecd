/**
 * The expressions of RFC 2704 4.3.2, 4.6.4 and 4.6.5. `start` and `end` are octets of the assertion's
 * text, so that an explanation can quote and point.
 */
interface Located {
  readonly start: number;
  readonly end: number;
}

/** `<StrEx>` */
export type StringNode = Located &
  (
    | { readonly type: 'string'; readonly kind: 'literal'; readonly value: string; readonly name?: string }
    | { readonly type: 'string'; readonly kind: 'attribute'; readonly name: string }
    | { readonly type: 'string'; readonly kind: 'concatenation'; readonly parts: readonly StringNode[] }
    | { readonly type: 'string'; readonly kind: 'dereference'; readonly of: StringNode }
  );

/** `<IntEx>` */
export type IntegerNode = Located &
  (
    | {
        readonly type: 'integer';
        readonly kind: 'integerLiteral';
        readonly value: number;
        /** The digits say more than 32 bits hold; `value` is what is left of it. */
        readonly isTooLarge?: true;
      }
    | { readonly type: 'integer'; readonly kind: 'toInteger'; readonly of: StringNode }
    | { readonly type: 'integer'; readonly kind: 'integerMinus'; readonly of: IntegerNode }
    | {
        readonly type: 'integer';
        readonly kind: 'integerOperation';
        readonly operator: IntegerOperator;
        readonly left: IntegerNode;
        readonly right: IntegerNode;
      }
  );
export type IntegerOperator = '+' | '-' | '*' | '/' | '%' | '^';

/** `<FloatEx>` */
export type FloatNode = Located &
  (
    | { readonly type: 'float'; readonly kind: 'floatLiteral'; readonly value: number }
    | { readonly type: 'float'; readonly kind: 'toFloat'; readonly of: StringNode }
    | { readonly type: 'float'; readonly kind: 'floatMinus'; readonly of: FloatNode }
    | {
        readonly type: 'float';
        readonly kind: 'floatOperation';
        readonly operator: FloatOperator;
        readonly left: FloatNode;
        readonly right: FloatNode;
      }
  );
export type FloatOperator = '+' | '-' | '*' | '/' | '^';

export type Relation = '==' | '!=' | '<' | '>' | '<=' | '>=';

/** `<RelExpr>`. `a && b && c` is one node of three operands. */
export type TestNode = Located &
  (
    | { readonly type: 'test'; readonly kind: 'constant'; readonly value: boolean; readonly name: string }
    | { readonly type: 'test'; readonly kind: 'not'; readonly of: TestNode }
    | { readonly type: 'test'; readonly kind: 'and' | 'or'; readonly operands: readonly TestNode[] }
    | {
        readonly type: 'test';
        readonly kind: 'strings';
        readonly relation: Relation;
        readonly left: StringNode;
        readonly right: StringNode;
      }
    | {
        readonly type: 'test';
        readonly kind: 'integers';
        readonly relation: Relation;
        readonly left: IntegerNode;
        readonly right: IntegerNode;
      }
    | {
        readonly type: 'test';
        readonly kind: 'floats';
        readonly relation: Relation;
        readonly left: FloatNode;
        readonly right: FloatNode;
      }
    | {
        readonly type: 'test';
        readonly kind: 'match';
        readonly subject: StringNode;
        readonly pattern: StringNode;
      }
  );

export type Expression = StringNode | IntegerNode | FloatNode | TestNode;

/** `<Clause>`: a test alone has the value _MAX_TRUST (RFC 2704 5.3.4). */
export interface Clause extends Located {
  readonly test: TestNode;
  readonly value?: StringNode;
  readonly block?: Program;
}

/** `<ConditionsProgram>` */
export type Program = readonly Clause[];

/** `<LicenseesExpr>` */
export type Licensees =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'principal'; readonly of: StringNode }
  | { readonly kind: 'all' | 'any'; readonly operands: readonly Licensees[] }
  | { readonly kind: 'threshold'; readonly count: number; readonly operands: readonly Licensees[] };
