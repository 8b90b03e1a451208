/**
 * What UI5 loads on demand, cut down to the console's themes and languages. Invariant: everything comes from our own
 * build; nothing is asked of another server.
 */
import { registerI18nLoader } from '@ui5/webcomponents-base/dist/asset-registries/i18n.js';
import {
  registerLocaleDataLoader,
  type CLDRData,
} from '@ui5/webcomponents-base/dist/asset-registries/LocaleData.js';
import { registerThemePropertiesLoader } from '@ui5/webcomponents-base/dist/asset-registries/Themes.js';
import { setDefaultFontLoading } from '@ui5/webcomponents-base/dist/config/Fonts.js';

setDefaultFontLoading(false);

type Load = () => Promise<{ readonly default: unknown }>;

const themes: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  '@ui5/webcomponents-theming': {
    sap_horizon_dark: () =>
      import('@ui5/webcomponents-theming/dist/generated/assets/themes/sap_horizon_dark/parameters-bundle.css.json'),
    sap_horizon_hcb: () =>
      import('@ui5/webcomponents-theming/dist/generated/assets/themes/sap_horizon_hcb/parameters-bundle.css.json'),
    sap_horizon_hcw: () =>
      import('@ui5/webcomponents-theming/dist/generated/assets/themes/sap_horizon_hcw/parameters-bundle.css.json'),
  },
  '@ui5/webcomponents': {
    sap_horizon_dark: () =>
      import('@ui5/webcomponents/dist/generated/assets/themes/sap_horizon_dark/parameters-bundle.css.json'),
    sap_horizon_hcb: () =>
      import('@ui5/webcomponents/dist/generated/assets/themes/sap_horizon_hcb/parameters-bundle.css.json'),
    sap_horizon_hcw: () =>
      import('@ui5/webcomponents/dist/generated/assets/themes/sap_horizon_hcw/parameters-bundle.css.json'),
  },
  '@ui5/webcomponents-fiori': {
    sap_horizon_dark: () =>
      import('@ui5/webcomponents-fiori/dist/generated/assets/themes/sap_horizon_dark/parameters-bundle.css.json'),
    sap_horizon_hcb: () =>
      import('@ui5/webcomponents-fiori/dist/generated/assets/themes/sap_horizon_hcb/parameters-bundle.css.json'),
    sap_horizon_hcw: () =>
      import('@ui5/webcomponents-fiori/dist/generated/assets/themes/sap_horizon_hcw/parameters-bundle.css.json'),
  },
};

const german: Readonly<Record<string, Load>> = {
  '@ui5/webcomponents': () => import('@ui5/webcomponents/dist/generated/assets/i18n/messagebundle_de.json'),
  '@ui5/webcomponents-fiori': () =>
    import('@ui5/webcomponents-fiori/dist/generated/assets/i18n/messagebundle_de.json'),
  '@ui5/webcomponents-react': () => import('@ui5/webcomponents-react/dist/assets/i18n/messagebundle_de.json'),
};

for (const [name, loads] of Object.entries(themes))
  for (const [theme, load] of Object.entries(loads))
    registerThemePropertiesLoader(name, theme, async () => (await load()).default as string, 'host');

for (const [name, load] of Object.entries(german))
  registerI18nLoader(name, 'de', async () => (await load()).default as Record<string, string>);

/** For calendars. */
const regions: Readonly<Record<string, Load>> = {
  de: () => import('@ui5/webcomponents-localization/dist/generated/assets/cldr/de.json'),
  en: () => import('@ui5/webcomponents-localization/dist/generated/assets/cldr/en.json'),
  en_GB: () => import('@ui5/webcomponents-localization/dist/generated/assets/cldr/en_GB.json'),
};

for (const [region, load] of Object.entries(regions))
  registerLocaleDataLoader(region, async () => (await load()).default as CLDRData);
