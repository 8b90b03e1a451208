/** What is wrong with a transformation, and where; everything that is wrong is reported at once. */

export interface Fault {
  /** The file or system the transformation comes from. */
  readonly where: string;
  readonly entity?: string;
  /** The place of the mapping in its list, counted from 1. */
  readonly mapping?: number;
  readonly key?: string;
  readonly reason: string;
}

/** The place one part of a transformation reports its faults from. */
export interface Place {
  readonly fault: (reason: string, at?: Partial<Fault>) => void;
  readonly remark: (reason: string, at?: Partial<Fault>) => void;
  readonly inside: (at: Partial<Fault>) => Place;
}

/** Faults refuse the transformation; remarks name what is understood but has no effect here. */
export interface Findings {
  readonly faults: readonly Fault[];
  readonly remarks: readonly Fault[];
}

export function collectFindings(where: string): Findings & { readonly place: Place } {
  const faults: Fault[] = [];
  const remarks: Fault[] = [];
  const placeAt = (at: Partial<Fault>): Place => ({
    fault: (reason, more) => faults.push({ where, ...at, ...more, reason }),
    remark: (reason, more) => remarks.push({ where, ...at, ...more, reason }),
    inside: (more) => placeAt({ ...at, ...more }),
  });
  return { faults, remarks, place: placeAt({}) };
}

export function describe({ where, entity, mapping, key, reason }: Fault): string {
  const place = [where, entity, mapping === undefined ? undefined : `mapping ${mapping}`, key];
  return `${place.filter((part) => part !== undefined && part !== '').join(', ')}: ${reason}`;
}
