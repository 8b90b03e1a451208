/** Countries, regions, locales and time zones (facts: transformations 8.2). What is unknown stays as it is. */
import { countryOf } from './countries.ts';
import { type FunctionKind, type Given, scalarText, type Work } from './function-kind.ts';
import { isArray, isObject, type JsonObject, MISSING, property, textOf, type Value } from './json.ts';
import { bcp47Of, iso639Of } from './locales.ts';
import { regionOf } from './regions.ts';
import { ianaOf, sapOf } from './timezones.ts';

const names = { type: 'names', required: true } as const;
const output = { type: 'text', required: true } as const;

export const placeFunctions = {
  convertCountryCode: {
    parameters: {
      outputFormat: { ...output, choices: ['fullName', 'alpha2', 'alpha3', 'numeric'] },
      inputAttributes: names,
      outputAttribute: output,
    },
    iterates: true,
    prepare: convertCountry,
  },
  convertCountryRegion: {
    parameters: {
      outputFormat: { ...output, choices: ['fullName', 'alpha2'] },
      inputAttributes: names,
      outputAttribute: output,
    },
    iterates: true,
    prepare: convertRegion,
  },
  convertLocaleCode: {
    parameters: { outputFormat: { ...output, choices: ['bcp47', 'iso639'] } },
    prepare: (given) => {
      const convert = given.text('outputFormat') === 'bcp47' ? bcp47Of : iso639Of;
      return (value) => convert(value === null ? '' : scalarText(value));
    },
  },
  convertTimezoneCode: {
    parameters: { outputFormat: { ...output, choices: ['iana', 'sap'] } },
    prepare: (given) => {
      const convert = given.text('outputFormat') === 'iana' ? ianaOf : sapOf;
      return (value) => convert(value === null ? '' : scalarText(value));
    },
  },
} as const satisfies Record<string, FunctionKind>;

function convertCountry(given: Given): Work {
  const inputs = namesOf(given);
  const input = inputs.find((name) => name !== 'region') ?? 'country';
  const format = given.text('outputFormat');
  return (value) => {
    const country = countryOf(attribute(value, input));
    if (!country) return value;
    const converted =
      { fullName: country.fullName, alpha2: country.alpha2, alpha3: country.alpha3 }[format] ??
      country.numeric;
    return isObject(value) ? { ...value, [given.text('outputAttribute')]: converted } : converted;
  };
}

function convertRegion(given: Given): Work {
  const inputs = namesOf(given);
  const country = inputs.find((name) => name !== 'region') ?? 'country';
  return (value) => {
    if (!isObject(value)) return value;
    const region = regionOf(attribute(value, 'region'), attribute(value, country));
    if (!region) return value;
    const converted = given.text('outputFormat') === 'alpha2' ? region.code : region.fullName;
    return { ...value, [given.text('outputAttribute')]: converted } satisfies JsonObject;
  };
}

function namesOf(given: Given): readonly string[] {
  const value = given.any('inputAttributes');
  return isArray(value) ? value.map(textOf) : [textOf(value)];
}

/** A text counts as the attribute itself, for use with applyOnAttribute. */
function attribute(value: Value, name: string): string {
  if (!isObject(value)) return value === null || isArray(value) ? '' : textOf(value);
  const found = property(value, name);
  return found === MISSING || found === null ? '' : textOf(found);
}
