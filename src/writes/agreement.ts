/**
 * Whether a resource that was read is what a write asked for. Invariant: doubt is disagreement. What cannot be compared, or
 * is spelt otherwise, never counts as equal, because a success is told on the strength of it.
 */
import { digitsOf } from '../scim/exact-json.ts';

/** How what was sent stands in what was found. */
export interface Agreement {
  /** Something is there otherwise than it was sent. */
  readonly differs: boolean;
  /** Something that was sent is not there: dropped by the service provider, renamed, or never written. */
  readonly lacks: boolean;
  /** Something is there that was not sent. */
  readonly exceeds: boolean;
}

export interface Strictness {
  /** Letters must be equal in their case, lists must have the same elements, and what was sent empty must be empty. */
  readonly exact: boolean;
}

/** What the service provider makes itself, or shows to nobody (RFC 7643 §3.1, §4.1). */
const notCompared = new Set(['id', 'meta', 'schemas', 'groups', 'password', '$ref']);
/** Of a member only its value is the caller's (RFC 7643 §4.2). */
const ofMember = new Set(['display', 'type']);
/** Comparing every element with every other one ends here, and the answer is no. */
const mostComparisons = 250_000;

export type Attributes = Readonly<Record<string, unknown>>;

export function isAttributes(value: unknown): value is Attributes {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && digitsOf(value) === undefined
  );
}

/** An attribute by its name, which has no case (RFC 7643 §2.1). */
export function attribute(from: unknown, name: string): unknown {
  if (!isAttributes(from)) return undefined;
  const folded = name.toLowerCase();
  return Object.entries(from).find(([key]) => key.toLowerCase() === folded)?.[1];
}

/** RFC 7643 §2.5: null and an empty list are the same as nothing. */
export function isUnassigned(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

export function agreementOf(sent: unknown, found: unknown, { exact }: Strictness): Agreement {
  const comparison = new Comparison(exact);
  comparison.compare(sent, found, '');
  return comparison;
}

class Comparison implements Agreement {
  differs = false;
  lacks = false;
  exceeds = false;
  readonly #exact: boolean;

  constructor(exact: boolean) {
    this.#exact = exact;
  }

  compare(sent: unknown, found: unknown, owner: string): void {
    if (isUnassigned(sent)) this.differs ||= this.#exact && !isUnassigned(found);
    else if (isUnassigned(found)) this.lacks = true;
    else if (Array.isArray(sent) && Array.isArray(found)) this.#compareLists(sent, found, owner);
    else if (isAttributes(sent) && isAttributes(found)) this.#compareAttributes(sent, found, owner);
    else this.differs ||= !isSame(sent, found, this.#exact);
  }

  #compareAttributes(sent: Attributes, found: Attributes, owner: string): void {
    const left = new Map(Object.entries(found).map(([name, value]) => [name.toLowerCase(), value]));
    for (const [name, value] of Object.entries(sent)) {
      const folded = name.toLowerCase();
      if (!isSkipped(folded, owner)) this.compare(value, left.get(folded), folded);
      left.delete(folded);
    }
    this.exceeds ||= [...left].some(([name, value]) => !isSkipped(name, owner) && !isUnassigned(value));
  }

  #compareLists(sent: readonly unknown[], found: readonly unknown[], owner: string): void {
    const candidates = candidatesIn(found);
    if (this.#exact && sent.length !== found.length) this.differs = true;
    const compared = sent.reduce<number>((sum, element) => sum + candidates(element).length, 0);
    if (this.differs || compared > mostComparisons) {
      this.differs = true;
      return;
    }
    const isThere = (element: unknown): boolean =>
      candidates(element).some((candidate) => {
        const inner = new Comparison(this.#exact);
        inner.compare(element, candidate, owner);
        return !inner.differs && !inner.lacks;
      });
    this.differs = !sent.every(isThere);
  }
}

/** The elements that one can be compared with: those of its `value`, so that 20,000 members are no square. */
function candidatesIn(found: readonly unknown[]): (element: unknown) => readonly unknown[] {
  const byValue = Map.groupBy(found, keyOf);
  return (element) => byValue.get(keyOf(element)) ?? [];
}

function keyOf(element: unknown): string {
  const value = isAttributes(element) ? attribute(element, 'value') : element;
  return typeof value === 'string' ? value.toLowerCase() : typeof value;
}

function isSkipped(name: string, owner: string): boolean {
  return notCompared.has(name) || (owner === 'members' && ofMember.has(name));
}

function isSame(sent: unknown, found: unknown, exact: boolean): boolean {
  const digits = digitsOf(sent);
  if (digits !== undefined) return digits === digitsOf(found);
  if (exact || typeof sent !== 'string' || typeof found !== 'string') return sent === found;
  return sent.toLowerCase() === found.toLowerCase();
}
