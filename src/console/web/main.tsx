/** Starts the console's page. */
import './assets.ts';
import './fonts.css';
import './console.css';
import { ThemeProvider } from '@ui5/webcomponents-react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Console } from './console.tsx';
import { NavigationProvider } from './navigation.tsx';
import { WordsProvider } from './words.tsx';

const root = document.querySelector('#root');
if (!root) throw new Error('The document has no root');
createRoot(root).render(
  <StrictMode>
    <ThemeProvider>
      <WordsProvider>
        <NavigationProvider>
          <Console />
        </NavigationProvider>
      </WordsProvider>
    </ThemeProvider>
  </StrictMode>,
);
