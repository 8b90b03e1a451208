/**
 * When somebody last did something here. What a page asks by itself moves the end of the session too, so it stops asking
 * when nobody is there: a session that is left alone must end.
 */
const restMs = 60_000;
let lastAt = Date.now();

for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel'])
  addEventListener(event, () => (lastAt = Date.now()), { passive: true, capture: true });

export const isSomebodyThere = (): boolean => !document.hidden && Date.now() - lastAt < restMs;
