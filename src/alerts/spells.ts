/**
 * What was told already. The same matter of the same subject is told at once, then at the earliest after the time between:
 * what goes on, and what has happened again. What got worse is told at once, and so is the end of what was told. While
 * somebody's own act on it is in force it rests.
 */
import { severities, type Alert, type Facts, type Severity } from './alert.ts';
import { matterOf, type AlertName } from './matters.ts';
import type { Finding } from './table.ts';

/** What is to be told now. */
export interface News extends Omit<Finding, 'isOver' | 'part' | 'restsUntil'> {
  readonly state: Exclude<Alert['state'], 'test'>;
  /** In ms since 1970. */
  readonly since: number;
  readonly times: number;
}

interface Spell {
  readonly name: AlertName;
  readonly subject: string;
  severity: Severity;
  facts: Facts;
  since: number;
  /** For which parts it goes on; the empty name where there are none. */
  readonly on: Set<string>;
  /** Not told yet. */
  times: number;
  toldAt: number | undefined;
  /** Somebody has acted on it, and is not told of it until then. */
  restsUntil: number;
  toldAs: Severity;
}

/** More subjects of one matter than this are one: nobody reads a hundred alerts. */
const mostSubjects = 20;
const others = 'several others';

export class Spells {
  readonly #betweenMs: () => number;
  readonly #spells = new Map<string, Spell>();
  readonly #subjects = new Map<AlertName, number>();

  /** @param betweenMs how long after it was told the same is told again, at the earliest */
  constructor(betweenMs: () => number) {
    this.#betweenMs = betweenMs;
  }

  /** @returns what is to be told of it now */
  note(finding: Finding, now: number): News | undefined {
    if (finding.restsUntil !== undefined) return this.#rest(finding, finding.restsUntil);
    return finding.isOver ? this.#end(finding) : this.#begin(finding, now);
  }

  /** What is due to be told again; what is long over is forgotten. */
  due(now: number): News[] {
    const told: News[] = [];
    for (const [key, spell] of this.#spells) {
      const { name, toldAt, times } = spell;
      const { lasts, forMs } = matterOf(name);
      if (this.#isEarly(spell, now) || (toldAt === undefined && forMs === undefined)) continue;
      if (times > 0 || (isOn(spell) && lasts)) told.push(tell(spell, now));
      else this.#forget(key, spell);
    }
    return told;
  }

  /** Of what nobody will say that it is over. */
  drop(name: AlertName, isGone: (subject: string) => boolean): void {
    for (const [key, spell] of this.#spells)
      if (spell.name === name && isGone(spell.subject)) this.#forget(key, spell);
  }

  #begin(finding: Finding, now: number): News | undefined {
    const spell = this.#spellOf(finding, now);
    if (!isOn(spell)) spell.since = now;
    spell.on.add(finding.part ?? '');
    spell.times += 1;
    spell.severity = finding.severity;
    spell.facts = finding.facts;
    const { after = 1, forMs = 0 } = matterOf(finding.name);
    if (spell.times < after || now - spell.since < forMs) return undefined;
    const isWorse = rank(spell.severity) > rank(spell.toldAs);
    return isWorse || !this.#isEarly(spell, now) ? tell(spell, now) : undefined;
  }

  #rest({ name, subject }: Finding, until: number): undefined {
    const spell = this.#spells.get(keyOf(name, subject));
    if (spell) spell.restsUntil = until;
  }

  #end({ name, subject, part = '', facts }: Finding): News | undefined {
    const key = keyOf(name, subject);
    const spell = this.#spells.get(key);
    if (!spell?.on.delete(part) || isOn(spell)) return undefined;
    const { severity, since, toldAt } = spell;
    const wasTold = toldAt !== undefined && toldAt >= since;
    spell.times = 0;
    spell.restsUntil = 0;
    if (toldAt === undefined) this.#forget(key, spell);
    return wasTold ? { name, subject, severity, facts, since, times: 0, state: 'resolved' } : undefined;
  }

  #spellOf({ name, subject, severity, facts }: Finding, now: number): Spell {
    const ofName = this.#subjects.get(name) ?? 0;
    const known = this.#spells.get(keyOf(name, subject));
    if (known) return known;
    const meant = ofName < mostSubjects ? subject : others;
    return this.#spells.getOrInsertComputed(keyOf(name, meant), () => {
      this.#subjects.set(name, ofName + 1);
      const fresh = { on: new Set<string>(), times: 0, toldAt: undefined, restsUntil: 0, toldAs: severity };
      return { name, subject: meant, severity, facts, since: now, ...fresh };
    });
  }

  /** Whether it was told not long ago, rests, or does not go on for long enough. */
  #isEarly(spell: Spell, now: number): boolean {
    const { name, since, toldAt, restsUntil } = spell;
    if (now < restsUntil) return true;
    if (isOn(spell) && now - since < (matterOf(name).forMs ?? 0)) return true;
    return toldAt !== undefined && now - toldAt < this.#betweenMs();
  }

  #forget(key: string, { name }: Spell): void {
    this.#spells.delete(key);
    this.#subjects.set(name, (this.#subjects.get(name) ?? 1) - 1);
  }
}

const keyOf = (name: AlertName, subject: string): string => `${name}\n${subject}`;
const isOn = ({ on }: Spell): boolean => on.size > 0;
const rank = (severity: Severity): number => severities.indexOf(severity);

function tell(spell: Spell, now: number): News {
  const { name, subject, severity, facts, since, times, toldAt } = spell;
  const state = toldAt === undefined ? 'raised' : 'again';
  spell.toldAt = now;
  spell.toldAs = severity;
  spell.times = 0;
  // What lasts but whose end cannot be seen must not be told for good.
  if (subject === others || !matterOf(name).lasts) spell.on.clear();
  return { name, subject, severity, facts, since, times, state };
}
