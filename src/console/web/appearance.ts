/** Light, dark and high contrast: as the system says, or as the reader chose. */
import { setTheme } from '@ui5/webcomponents-base/dist/config/Theme.js';
import { useEffect, useState } from 'react';

import { keep, recall } from './keepsake.ts';

export const appearances = ['system', 'light', 'dark'] as const;
export type Appearance = (typeof appearances)[number];

const dark = matchMedia('(prefers-color-scheme: dark)');
const contrast = matchMedia('(prefers-contrast: more)');

function show(appearance: Appearance): void {
  const isDark = appearance === 'system' ? dark.matches : appearance === 'dark';
  const root = document.documentElement;
  root.dataset['shade'] = isDark ? 'dark' : 'light';
  root.style.colorScheme = isDark ? 'dark' : 'light';
  const plain = isDark ? 'sap_horizon_dark' : 'sap_horizon';
  void setTheme(contrast.matches ? (isDark ? 'sap_horizon_hcb' : 'sap_horizon_hcw') : plain);
}

export function useAppearance(): readonly [Appearance, (chosen: Appearance) => void] {
  const [appearance, setAppearance] = useState<Appearance>(
    () => recall('appearance', appearances) ?? 'system',
  );
  useEffect(() => {
    const follow = (): void => show(appearance);
    follow();
    dark.addEventListener('change', follow);
    contrast.addEventListener('change', follow);
    return () => {
      dark.removeEventListener('change', follow);
      contrast.removeEventListener('change', follow);
    };
  }, [appearance]);
  return [
    appearance,
    (chosen) => {
      keep('appearance', chosen);
      setAppearance(chosen);
    },
  ];
}
