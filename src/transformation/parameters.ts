/**
 * `%key%` parameters, replaced in the raw text before it is parsed, once and not recursively (facts:
 * transformations 7.2). A missing property reads `null`. Backslashes stay as they are, quotes are escaped.
 */

export type Properties = Readonly<Record<string, string>>;

export interface Template {
  /** The text around the parameters, one more than there are parameters. */
  readonly texts: readonly string[];
  readonly parameters: readonly Parameter[];
}

interface Parameter {
  readonly key: string;
  readonly quoted: boolean;
}

/** A parameter does not reach beyond the string it begins in, nor, outside of strings, beyond its line. */
export function templateOf(text: string): Template {
  const texts: string[] = [];
  const parameters: Parameter[] = [];
  let [from, quoted] = [0, false];
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === '"') quoted = !quoted;
    if (quoted && sign === '\\') at += 1;
    const key = sign === '%' ? keyAt(text, at, quoted) : undefined;
    if (key !== undefined) {
      texts.push(text.slice(from, at));
      parameters.push({ key, quoted });
      at += key.length + 1;
      from = at + 1;
    }
  }
  return { texts: [...texts, text.slice(from)], parameters };
}

const keyPattern = { quoted: /%((?:[^"%\\]|\\[^])+)%/y, bare: /%([^"%\n]+)%/y };

function keyAt(text: string, at: number, quoted: boolean): string | undefined {
  const pattern = quoted ? keyPattern.quoted : keyPattern.bare;
  pattern.lastIndex = at;
  return pattern.exec(text)?.[1];
}

export function replaceParameters({ texts, parameters }: Template, properties: Properties): string {
  return texts
    .map((text, at) => {
      const parameter = parameters[at];
      return parameter ? text + valueOf(parameter, properties) : text;
    })
    .join('');
}

/** Two sets of properties with the same print give the same text. */
export function printOf({ parameters }: Template, properties: Properties): string {
  return JSON.stringify(
    parameters.map(({ key }) => (Object.hasOwn(properties, key) ? properties[key] : null)),
  );
}

function valueOf({ key, quoted }: Parameter, properties: Properties): string {
  const value = Object.hasOwn(properties, key) ? String(properties[key]) : 'null';
  return quoted ? value.replaceAll(/\\[^]|["\p{Cc}]/gu, escaped) : value;
}

function escaped(part: string): string {
  return part.startsWith('\\') ? part : JSON.stringify(part).slice(1, -1);
}
