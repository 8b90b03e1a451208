/** Variables live for one system and one entity; `${name}` puts their text into conditions and parameters. */
import { textOf, type Value } from './json.ts';

export type Variables = ReadonlyMap<string, Value>;

const reference = /\$\{([^{}]+)\}/g;

/** A variable that is not set reads as `null`, like a parameter whose property is missing. */
export function insertVariables(text: string, variables: Variables): string {
  return text.replaceAll(reference, (_, name: string) => textOf(variables.get(name.trim()) ?? null));
}

/** Whether a variable stands outside of quotes and slashes, where its text becomes part of the grammar. */
export function hasBareVariable(text: string): boolean {
  return text.replaceAll(/'(?:\\[^]|[^\\'])*'|"(?:\\[^]|[^\\"])*"|\/(?:\\[^]|[^\\/])*\//g, '').includes('${');
}

/** Puts in only those variables that stand outside of quotes and slashes. */
export function insertBareVariables(text: string, variables: Variables): string {
  const parts = text.split(/('(?:\\[^]|[^\\'])*'|"(?:\\[^]|[^\\"])*"|\/(?:\\[^]|[^\\/])*\/)/);
  return parts.map((part, at) => (at % 2 === 0 ? insertVariables(part, variables) : part)).join('');
}
