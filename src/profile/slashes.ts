/**
 * Slashes that a caller doubles when it joins addresses. Only runs of slashes in the path become single ones; what comes of
 * it is parsed as strictly as any target, and the path that goes up is written anew from its parts.
 */

/** Undefined when there is no such run, or the target is not in origin form (RFC 9112 §3.2.1). */
export function singleSlashes(target: string): string | undefined {
  if (!target.startsWith('/')) return undefined;
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const single = path.replaceAll(/\/{2,}/g, '/');
  return single === path ? undefined : single + target.slice(path.length);
}
