/**
 * What differs between two configurations, setting by setting, and whether it can come into force while the gateway
 * runs. A setting that is not listed here as changeable needs a restart, so a new key is on the safe side.
 */
import { hash } from 'node:crypto';

import { ConfigFaults } from './config-faults.ts';
import { fileBehind } from './config-references.ts';
import type { Config } from './config.ts';
import { Secret } from './secret.ts';

/** A secret shows as `***` on both sides: that it changed is all that is told. */
export interface Change {
  readonly setting: string;
  readonly old?: unknown;
  readonly new?: unknown;
  /** The file that says it, where the setting refers to one as before; without it, the configuration's own does. */
  readonly file?: string;
}

/** Of the whole that is in force, environment and defaults included; secrets have no part in it. */
export function configHash(config: Config): string {
  return hash('sha256', JSON.stringify(config));
}

export function changesBetween(before: Config, after: Config): Change[] {
  const [old, now] = [settingsOf(before), settingsOf(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].flatMap((setting) => {
    const [was, is] = [old.get(setting), now.get(setting)];
    if (was?.compared === is?.compared) return [];
    const file = was?.file === is?.file ? is?.file : undefined;
    return [{ setting, old: was?.shown, new: is?.shown, ...(file !== undefined && { file }) }];
  });
}

/** Throws with every change that only a restart can bring into force. */
export function refuseFixed(changes: readonly Change[], source: string): void {
  const fixed = changes.filter(({ setting }) => !isChangeable(setting));
  if (fixed.length === 0) return;
  const remedy = 'restart the gateway, or undo the change';
  throw new ConfigFaults(
    source,
    fixed.map(({ setting }) => ({ path: setting, problem: 'cannot change while the gateway runs', remedy })),
  );
}

function isChangeable(setting: string): boolean {
  return changeable.test(setting) && !fixed.test(setting);
}

const changeable = new RegExp(
  `^(${[
    'publicUrl|(listen|listeners\\.[^.]+)\\.hosts|replicas|patience|log\\.level|cache\\.(lifetime|keys)',
    'limits\\.(body|tokens|depth|reply|headers|target)',
    '(firstStart|oauth|guard|callers|tenants|systems|alerts|audit\\.destinations)\\..*',
  ].join('|')})$`,
);
/** An embedded tenant runs already, and a minute is as long as it was. */
const fixed = /^tenants\.[^.]+\.(embedded(\..*)?|pace\.minute)$/;

interface Setting {
  readonly compared: string;
  readonly shown: unknown;
  /** Undefined where it stands in the configuration's own file. */
  readonly file: string | undefined;
}

function settingsOf(config: Config): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  const collect = (value: unknown, path: readonly string[], around?: string): void => {
    if (value === undefined) return;
    const file = originOf(value) ?? around;
    const isBranch = Object(value) === value && !Array.isArray(value) && !(value instanceof Secret);
    if (!isBranch || isTextFile(value)) settings.set(path.join('.'), { ...settingOf(value, path), file });
    else for (const [key, below] of Object.entries(value as object)) collect(below, [...path, key], file);
  };
  collect(config, []);
  return settings;
}

function settingOf(value: unknown, path: readonly string[]): Omit<Setting, 'file'> {
  // What a listener shows is exchanged by whoever watches those files (tls-reload.ts); here only other files count.
  const isWatched = path.includes('tls') && path[0] !== 'cache' && path[0] !== 'audit';
  if (value instanceof Secret)
    return { compared: isWatched ? `file ${value.file}` : `secret ${value.reveal()}`, shown: value.toJSON() };
  if (!isTextFile(value)) return { compared: JSON.stringify(value), shown: value };
  const { path: file, text } = value;
  const shown = isWatched ? { file } : { file, sha256: hash('sha256', text) };
  return { compared: JSON.stringify(shown), shown };
}

function originOf(value: unknown): string | undefined {
  if (value instanceof Secret) return value.file;
  return isTextFile(value) ? value.path : fileBehind(value);
}

function isTextFile(value: unknown): value is { readonly path: string; readonly text: string } {
  return (
    Object(value) === value &&
    Object.hasOwn(value as object, 'path') &&
    Object.hasOwn(value as object, 'text')
  );
}
