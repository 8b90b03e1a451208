/** The parsed form of a regular expression. Every single character is a test on one code point. */

export type CharacterTest = (codePoint: number) => boolean;

export type Place =
  | 'lineStart'
  | 'lineEnd'
  | 'textStart'
  | 'textEnd'
  | 'beforeLast'
  | 'boundary'
  | 'noBoundary'
  | 'searchStart';

export interface Flags {
  readonly ignoreCase: boolean;
  readonly unicodeCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly comments: boolean;
  readonly unixLines: boolean;
  readonly unicodeClasses: boolean;
}

export type Node =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly part: Node }
  | { readonly kind: 'atomic'; readonly part: Node }
  | { readonly kind: 'look'; readonly part: Node; readonly behind: boolean; readonly negative: boolean }
  | {
      readonly kind: 'repeat';
      readonly part: Node;
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
    }
  | { readonly kind: 'reference'; readonly index: number; readonly flags: Flags }
  | { readonly kind: 'place'; readonly place: Place; readonly flags: Flags };

export interface Regex {
  readonly root: Node;
  readonly groupCount: number;
  /** With references to groups a state is more than (instruction, position): nothing may be remembered. */
  readonly hasReference: boolean;
}
