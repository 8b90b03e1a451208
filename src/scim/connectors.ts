/**
 * What SAP documents of each type of proxy system: how memberships are to be changed there, and whether its default
 * write transformation has mappings for PATCH. Without those Identity Provisioning makes an empty write of one
 * (facts: IPS 6.3). Data alone: the names are those of the administration console.
 */
export interface Connector {
  /** SCIM_ASSIGNMENT_METHOD; undefined where the type has no groups that could be written. */
  readonly assignment: 'PATCH' | 'PUT' | undefined;
  /** Whether the default write transformation has mappings of the scope `patchEntity`. */
  readonly patchEntity: boolean;
}

const byPatch = [
  'SAP Advanced Workflow',
  'SAP Ariba Applications',
  'SAP Ariba Buying',
  'SAP BTP ABAP environment',
  'SAP BTP Account Members (Neo)',
  'SAP CPQ',
  'SAP Data Custodian',
  'SAP Integrated Business Planning',
  'SAP Market Communication for Utilities',
  'SAP Marketing Cloud',
  'SAP S/4HANA Cloud Public Edition',
  'SAP SuccessFactors Incentive Management',
  'Sales Cloud - Analytics & AI',
] as const;

const byPut = [
  'Cloud Foundry UAA Server',
  'Identity Authentication',
  'Intelligent Opportunity Analyzer',
  'Local Identity Directory',
  'SAP Advanced Financial Closing',
  'SAP Analytics Cloud',
  'SAP Ariba Category Management',
  'SAP Ariba Central Invoice Management',
  'SAP BTP Java/HTML5 apps (Neo)',
  'SAP BTP Platform Members (Cloud Foundry)',
  'SAP BTP XS Advanced UAA (Cloud Foundry)',
  'SAP Build Work Zone, standard edition',
  'SAP Business Network',
  'SAP Commerce Cloud',
  'SAP Concur',
  'SAP Datasphere',
  'SAP Enable Now',
  'SAP Field Service Management',
  'SAP Fieldglass',
  'SAP Intelligent Agriculture',
  'SAP Master Data Integration',
  'SAP Revenue Growth Management',
  'SAP S/4HANA for procurement planning',
  'SAP Sales Cloud and SAP Service Cloud',
  'SAP Signavio Process Transformation Suite',
  'SAP SuccessFactors',
  'SAP SuccessFactors Employee Central Payroll',
  'SAP SuccessFactors Learning',
] as const;

const byPutAlone = [
  'Google G Suite',
  'LDAP Server',
  'Microsoft Active Directory',
  'Microsoft Entra ID',
  'Procurement Data Warehouse',
  'SAP Application Server ABAP',
  'SAP Build Work Zone, advanced edition',
  'SAP Central Business Configuration',
  'SAP HANA Cloud Database Services',
  'SAP Jam Collaboration',
  'SCIM System',
] as const;

const withoutGroups = ['SAP S/4HANA On-Premise'] as const;

export const connectorNames = [...byPatch, ...byPut, ...byPutAlone, ...withoutGroups] as const;
export type ConnectorName = (typeof connectorNames)[number];

export function connectorOf(name: ConnectorName): Connector {
  const is = (names: readonly string[]): boolean => names.includes(name);
  if (is(withoutGroups)) return { assignment: undefined, patchEntity: true };
  return { assignment: is(byPatch) ? 'PATCH' : 'PUT', patchEntity: !is(byPutAlone) };
}
