/**
 * The pairs of `convertLocaleCode`: a language alone and with the country it is first thought of. Which languages
 * SAP maps is not printed; these are the ones Identity Authentication speaks. All others are English.
 */

const table = `
AR ar-SA, BG bg-BG, CA ca-ES, CS cs-CZ, CY cy-GB, DA da-DK, DE de-DE, EL el-GR, EN en-US, ES es-ES, ET et-EE, FI fi-FI,
FR fr-FR, HE he-IL, HI hi-IN, HR hr-HR, HU hu-HU, ID id-ID, IT it-IT, JA ja-JP, KK kk-KZ, KO ko-KR, LT lt-LT, LV lv-LV,
MK mk-MK, MS ms-MY, NL nl-NL, NO no-NO, PL pl-PL, PT pt-PT, RO ro-RO, RU ru-RU, SK sk-SK, SL sl-SI, SR sr-RS, SV sv-SE,
TH th-TH, TR tr-TR, UK uk-UA, VI vi-VN, ZH zh-CN
`;

const pairs = table
  .trim()
  .split(/,\s*/)
  .map((row) => row.split(' '));

const locales: ReadonlyMap<string, string> = new Map(pairs.map(([iso = '', bcp = '']) => [iso, bcp]));

/** The language of either form, in capitals. */
function languageOf(code: string): string {
  return code.split(/[-_]/, 1)[0]?.toUpperCase() ?? '';
}

export function bcp47Of(code: string): string {
  return locales.get(languageOf(code)) ?? 'en-US';
}

export function iso639Of(code: string): string {
  const language = languageOf(code);
  return locales.has(language) ? language : 'EN';
}
