/** A query with other values, or with more of them. What is not named here goes up as it was written. */
import { Query, type Parameter } from '../scim/target.ts';

/** @param values of names and values that need no encoding */
export function withValues(query: Query, values: Readonly<Record<string, number>>): Query {
  const kept = query.canonical
    .split('&')
    .filter(Boolean)
    .map(readParameter)
    .filter(({ name }) => !Object.hasOwn(values, name));
  const set = Object.entries(values).map(([name, value]): Parameter => ({
    name,
    value: `${value}`,
    encoded: `${name}=${value}`,
  }));
  return new Query([...kept, ...set]);
}

function readParameter(encoded: string): Parameter {
  const at = encoded.indexOf('=');
  const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
  return { name: decode(encoded.slice(0, at)), value: decode(encoded.slice(at + 1)), encoded };
}
