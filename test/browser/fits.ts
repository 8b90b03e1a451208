/** Whether a page has room for what it shows, at 1440 × 900. */
import assert from 'node:assert/strict';

import type { Page } from 'playwright-core';

/** Fails where the page or a table is wider than its place, or a text is cut off and nothing tells the whole of it. */
export async function assertFits(page: Page): Promise<void> {
  const wrong = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const parts = [...document.querySelectorAll('#content *, ui5-dialog[open] *')];
    const over = (part: Element): number => part.scrollWidth - part.clientWidth;
    const wide = parts.filter((part) => part.matches('.scroll, .grid') && over(part) > 1);
    const cut = parts.filter(
      (part) =>
        over(part) > 1 &&
        getComputedStyle(part).overflowX === 'hidden' &&
        !part.closest('.unseen, [title]') &&
        !part.querySelector('[title]'),
    );
    return [
      ...(scrollWidth > clientWidth ? [`the page is ${scrollWidth - clientWidth} px too wide`] : []),
      ...wide.map((part) => `${part.className} is ${over(part)} px too wide`),
      ...cut.map((part) => `${part.className} is cut: ${part.textContent}`),
    ];
  });
  assert.deepEqual(wrong, []);
}
