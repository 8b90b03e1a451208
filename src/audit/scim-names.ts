/**
 * The attribute names that a record may show: those of RFC 7643, spelt as it spells them. Every other name may have been
 * chosen to carry something, so it becomes `?`.
 */
const attributes: Readonly<Record<string, string>> = {
  // RFC 7643 §3.1, §4.1 and §4.2; behind the colon the parts of a complex attribute.
  schemas: '',
  id: '',
  externalId: '',
  meta: 'resourceType created lastModified location version',
  userName: '',
  name: 'formatted familyName givenName middleName honorificPrefix honorificSuffix',
  displayName: '',
  nickName: '',
  profileUrl: '',
  title: '',
  userType: '',
  preferredLanguage: '',
  locale: '',
  timezone: '',
  active: '',
  password: '',
  emails: 'value display type primary',
  phoneNumbers: 'value display type primary',
  ims: 'value display type primary',
  photos: 'value display type primary',
  addresses: 'formatted streetAddress locality region postalCode country type primary',
  groups: 'value $ref display type',
  entitlements: 'value display type primary',
  roles: 'value display type primary',
  x509Certificates: 'value display type primary',
  members: 'value $ref display type',
};
const enterpriseAttributes: Readonly<Record<string, string>> = {
  employeeNumber: '',
  costCenter: '',
  organization: '',
  division: '',
  department: '',
  manager: 'value $ref displayName',
};

const core = 'urn:ietf:params:scim:schemas:core:2.0:';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
/** Whose attributes are the customer's, so that of them only the schema is named (facts: SAP's extensions). */
const opaqueSchemas = [
  'urn:ietf:params:scim:schemas:extension:sap:2.0:User',
  'urn:ietf:params:scim:schemas:extension:sap:2.0:Group',
  'urn:ietf:params:scim:schemas:extension:sap.odm:2.0:User',
  'urn:sap:cloud:scim:schemas:extension:custom:2.0:User',
  'urn:sap:cloud:scim:schemas:extension:custom:2.0:Group',
];

type Names = ReadonlyMap<string, { readonly name: string; readonly parts: ReadonlyMap<string, string> }>;

/** Names have no case (RFC 7643 §2.1), and some readers take `ſ` for an `s`. */
export function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}

const byFolded = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(names.map((name) => [fold(name), name]));

function tableOf(list: Readonly<Record<string, string>>): Names {
  const rows = Object.entries(list).map(
    ([name, parts]) => [fold(name), { name, parts: byFolded(parts.split(' ').filter(Boolean)) }] as const,
  );
  return new Map(rows);
}

const coreNames = tableOf(attributes);
const enterpriseNames = tableOf(enterpriseAttributes);
const opaque = byFolded(opaqueSchemas);
const enterpriseFolded = fold(enterprise);

/** @param schema its URN, empty or a core schema for the attributes of RFC 7643 themselves */
export function knownName(schema: string, attribute: string, part?: string): string {
  const folded = fold(schema);
  const isEnterprise = folded === enterpriseFolded;
  const prefix = isEnterprise ? `${enterprise}:` : '';
  if (!isEnterprise && !isCore(schema)) return `${opaque.get(folded) ?? '?'}:?`;
  const found = (isEnterprise ? enterpriseNames : coreNames).get(fold(attribute));
  if (!found) return `${prefix}?`;
  return `${prefix}${found.name}${part === undefined ? '' : `.${found.parts.get(fold(part)) ?? '?'}`}`;
}

export function isCore(schema: string): boolean {
  return schema === '' || fold(schema).startsWith(core.toLowerCase());
}

/** Whether it has parts of its own and is no list, so that a value for it names what it changes. */
export function hasParts(schema: string, attribute: string): boolean {
  const folded = fold(attribute);
  return isCore(schema) ? folded === 'name' || folded === 'meta' : folded === 'manager';
}
