/** What a refused caller is told it may try (RFC 7617 §2, RFC 6750 §3). */
const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

export function basicChallenge(realm: string): string {
  return `Basic realm=${quote(realm)}, charset="UTF-8"`;
}

/** @param error only where a token was shown (RFC 6750 §3.1) */
export function allChallenges(realm: string, error?: 'invalid_token'): string {
  return `${basicChallenge(realm)}, Bearer realm=${quote(realm)}${error ? `, error="${error}"` : ''}`;
}
