/** Text on the report's page: names and agents come from strangers, so whatever is shown goes through `escape`. */
import { visible } from './audit-table.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escape(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** With thin spaces, so that long figures can be read. */
export function numberText(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}

export function sizeText(bytes: number): string {
  return bytes < 1e6
    ? `${Math.ceil(bytes / 1000)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** `2026-11-21 08:00:00` */
export function momentText(ts: string | undefined): string {
  return ts === undefined ? '–' : ts.slice(0, 19).replace('T', ' ');
}
