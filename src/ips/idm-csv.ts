/**
 * The CSV file that SAP Identity Management imports as a SCIM repository, as an administrator exports it from
 * a proxy system, but with the address that IDM shall call (facts: IPS 6.1).
 */
export interface IdmRepository {
  readonly name: string;
  readonly description?: string;
  readonly systemId: string;
  /** The gateway's (or a tenant's) address as IDM reaches it. */
  readonly address: URL;
  /** How IDM changes memberships; it depends on the backend, and some have no groups (facts: IPS 6.3). */
  readonly assignment: 'PUT' | 'PATCH' | undefined;
  /** How long IDM waits for an answer. Without it IDM's own default stands there, which is shorter than a write may take. */
  readonly readTimeoutMs?: number;
}

/** Column by column, in the order that the import expects; an empty value is written without quotes. */
function columnsOf({
  name,
  description = '',
  systemId,
  address,
  assignment,
  readTimeoutMs = 60_000,
}: IdmRepository) {
  const isHttps = address.protocol === 'https:';
  const base = address.pathname.replace(/\/+$/, '');
  return [
    ['Name', name],
    ['Description', description],
    ['Type', ''],
    ['Disabled', '0'],
    ['TypeQN', 'com.sap.idm.connector.scim:reptype.SCIM'],
    ['AUTH_PASSWORD', ''],
    ['AUTH_TYPE', 'basic'],
    ['AUTH_USER', ''],
    ['CONNECT_TIMEOUT', '60000'],
    ['CONNECTION_KEEPALIVE', '60000'],
    ['MX_PRIV_GROUPING_ATTRIBUTE', ''],
    ['OAUTH_URL', ''],
    ['PROXY_HOST', ''],
    ['PROXY_PASSWORD', ''],
    ['PROXY_PORT', ''],
    ['PROXY_USER', ''],
    ['READ_TIMEOUT', String(readTimeoutMs)],
    ['SCIM_ASSIGNMENT_METHOD', assignment ?? ''],
    ['SCIM_HOST', address.hostname],
    ['SCIM_PATH', `${base}/ipsproxy/service/api/v1/scim/${systemId}`],
    ['SCIM_PORT', address.port || (isHttps ? '443' : '80')],
    ['SCIM_PROTOCOL', isHttps ? 'https' : 'http'],
    ['SYSTEM_PRIVILEGE', `PRIV:SYSTEM:${name}`],
    ['TRUSTSTORE', ''],
    ['TRUSTSTORE_PASSWORD', ''],
  ] as const;
}

export function idmCsv(repository: IdmRepository): string {
  return writeRepository(columnsOf(repository));
}

/** Two lines without a final line break; every value is followed by a comma, and an empty one has no quotes. */
export function writeRepository(columns: readonly (readonly [name: string, value: string])[]): string {
  const broken = columns.find(([, value]) => /["\r\n]/.test(value));
  // The format knows no escape, so IDM would read other columns than were written.
  if (broken) throw new Error(`${broken[0]}: a quotation mark or line break cannot be written to this CSV`);
  const names = columns.map(([name]) => `${name},`).join('');
  const values = columns.map(([, value]) => (value === '' ? ',' : `"${value}",`)).join('');
  return `${names}\n${values}`;
}
