/**
 * Which resources speak of which others. Users show their groups, groups their members, and both their like: a write to one
 * may change whoever mentions it, and whoever it names. Names are compared without case, because callers exist that change it
 * (facts: Omada).
 */
import { itemsOf, membersOf } from '../pages/json-spans.ts';
import { folded } from '../scim/folded.ts';

/** Values of these are no resources (RFC 7643 §4.1.2). */
const noReferences = new Set([
  'emails',
  'phonenumbers',
  'ims',
  'photos',
  'addresses',
  'entitlements',
  'roles',
  'x509certificates',
]);
/** Where a write names more, everything may have changed. */
const mostNames = 200;
const mostSamples = 200;
/** Some may be of resources that a condition drops. */
const leastKnown = 0.9;

/** What the body of a write names; undefined where that cannot be said. */
export function namesIn(body: Buffer | undefined): readonly string[] | undefined {
  if (!body || body.length === 0) return [];
  const names = new Set<string>();
  try {
    gather(JSON.parse(body.toString('utf8')), '', names);
  } catch {
    return undefined; // What cannot be read may name anybody.
  }
  return names.size > mostNames ? undefined : [...names];
}

function gather(value: unknown, under: string, names: Set<string>): void {
  if (Array.isArray(value)) for (const each of value) gather(each, under, names);
  else if (typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) {
      const key = name.toLowerCase();
      if (noReferences.has(key)) continue;
      const isName = key === 'value' || key === '$ref' || key === 'path';
      if (isName && typeof each === 'string') for (const part of partsOf(key, each)) names.add(folded(part));
      else gather(each, key, names);
    }
  else if (typeof value === 'string' && references.has(under)) names.add(folded(value));
}

const references = new Set(['members', 'groups', 'manager', 'value']);

/** `members[value eq "x"]` names x, and an address its last segment. */
function partsOf(key: string, text: string): string[] {
  if (key === 'path') return Array.from(text.matchAll(/"([^"]*)"/g), ([, literal = '']) => literal);
  return key === '$ref' ? [text.slice(text.lastIndexOf('/') + 1)] : [text];
}

/** Everything that a resource says, as single strings and as ends of addresses. */
export function saidIn(resource: Buffer): ReadonlySet<string> {
  const said = new Set<string>();
  for (const [text] of resource.toString('utf8').matchAll(/"(?:[^"\\]|\\.)*"/g)) {
    const value = folded(text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1));
    said.add(value);
    const slash = value.lastIndexOf('/');
    if (slash >= 0) said.add(value.slice(slash + 1));
  }
  return said;
}

/** A sample of what resources mention others by. */
export function sampleReferences(bodies: Iterable<Buffer>): string[] {
  const found = new Set<string>();
  for (const body of bodies) {
    for (const value of referencesOf(body)) found.add(value);
    if (found.size >= mostSamples) break;
  }
  return [...found].slice(0, mostSamples);
}

/** Whether others are mentioned by their ids: otherwise nobody can tell from an id who mentions it. */
export function areIds(references: readonly string[], ids: ReadonlySet<string>): boolean {
  const known = references.filter((value) => ids.has(value)).length;
  return references.length > 0 && known >= references.length * leastKnown;
}

function* referencesOf(resource: Buffer): Generator<string> {
  for (const { name, start } of membersOf(resource, 0)) {
    if ((name !== 'groups' && name !== 'members') || resource[start] !== 0x5b) continue;
    for (const item of itemsOf(resource, start)) {
      if (resource[item.start] !== 0x7b) continue;
      const value = membersOf(resource, item.start).find((member) => member.name === 'value');
      if (value) yield folded(String(JSON.parse(resource.toString('utf8', value.start, value.end))));
    }
  }
}
