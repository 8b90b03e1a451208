/** What a caller that hangs up ends, and what it does not. */

/** Waits no longer than the caller does; the work itself goes on. */
export async function unlessLeft<T>(work: Promise<T>, left: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(left.reason);
  if (left.aborted) leave();
  left.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    left.removeEventListener('abort', leave);
  }
}
