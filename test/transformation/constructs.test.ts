/** Constructs of SAP's default transformations that stand together there: directories, ABAP roles, prefixes, jobs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Json } from '../../src/transformation/json.ts';
import { isFulfilled, runMappings, valueOf } from './support.ts';

const groupSchema = 'urn:ietf:params:scim:schemas:extension:sap:2.0:Group';

describe('the conditions of the defaults', () => {
  const input = {
    userName: 'jdoe',
    name: { givenName: 'J', familyName: 'D' },
    emails: [{ value: 'j@x.de', primary: true }],
    groups: [{ display: 'PRE_A' }, { display: 'Other<x>' }],
    addresses: [{ type: 'work', country: 'DE', region: 'BY' }],
    validityPeriod: { startDate: '2020-01-01', endDate: '2999-12-31' },
    ISLOCKED: { LOCAL_LOCK: 'U' },
    mobile: ['1'],
    active: false,
    user: { lockedIndicator: 'true' },
  };
  const properties = { p: 'PRE_', 'p.land': 'A', 'ips.application.id': 'app' };
  const fulfilled = [
    '($.emails.length() > 0) && ($.name.familyName EMPTY false) && isValidEmail($.emails[0].value)',
    "isValidEmail($.emails[0].value) && (('%p%' === 'null') || ($.groups[?(@.display =~ /%p%.*/)] empty false))",
    "(('%none%' === 'null') || ($.groups[?(@.display =~ /%p%%p.land%.+/)] empty false)) && $.groups[?(@.display === 'cf')] empty true",
    '($.emails EMPTY false) && isValidEmail($.emails[*].value)',
    '(($.emails EMPTY true) || (isValidEmail($.emails[*].value)))',
    "$.groups[?(@.display== 'A<b>' || @.display== 'Other<x>' || @.display== 'C')] EMPTY false ",
    "($.validityPeriod.startDate <= '${currentDate}') && ($.validityPeriod.endDate > '${currentDate}')",
    "($.ISLOCKED.LOCAL_LOCK != 'L') && ($.ISLOCKED.GLOB_LOCK != 'L') && ($.LOCK_LOCALLY != 'X')",
    '($.addresses[*].region EMPTY false) && ($.addresses[*].country EMPTY false)',
    "$.addresses[?(@.type == 'work')].country EMPTY false",
    "'%ips.application.id%'!== 'null'",
    "$.user.lockedIndicator == 'true'",
    "$.locale !== 'not_unique'",
    '$.%none%.length() > 0 || $.mobile.length() > 0',
    '$.emails[?(@.primary == true)].value != []',
    '$.phoneNumbers[?(@.primary == true)].value != []',
    '$.active == false',
    "$.groups EMPTY true || $.groups[?(@.display === 'XYZ' )] empty true",
    "($.groups EMPTY false) && ( ($.groups[?(@.display ==='PRE_A' )] != []) || ($.groups[?(@.display ==='XYZ')] != []))",
    "(('%none%' === 'null') || ($.groups[?(@.display =~ /%none%.*/)] empty false)) && $.userName empty false && ($.userName === 'Jdoe' || $.userName === 'jdoe')",
    '$.emails[0].value =~ /.*@x.de/',
  ];
  const unfulfilled = [
    '$.emails[?(@.primary == true)].value == []',
    "('${currentDate}' > $.validityPeriod.endDate) || ($.validityPeriod.startDate > '${currentDate}')",
    '$.emails[?(@.primary == true)] empty true',
    "$.locale == 'not_unique'",
    "('%p%' === 'null') || ($.userName =~ /%p%.*/)",
    "'%p%' === 'null'",
  ];
  for (const condition of fulfilled) {
    it(`hold: ${condition}`, () => assert.equal(isFulfilled(condition, input, { properties }), true));
  }
  for (const condition of unfulfilled) {
    it(`do not hold: ${condition}`, () => assert.equal(isFulfilled(condition, input, { properties }), false));
  }
});

describe('a directory as target', () => {
  const member = (condition: string, attribute: string, path: string) => ({
    condition,
    function: 'concatString',
    applyOnElements: true,
    applyOnAttribute: 'value',
    prefix: `%ldap.attribute.${attribute}%=`,
    suffix: `,%ldap.${path}%`,
  });
  const mappings: Json[] = [
    { constant: 'inetOrgPerson', targetPath: '$.%ldap.class%[0]' },
    { sourcePath: '$.userName', targetPath: '$.%ldap.attribute.user.id%[0]' },
    { constant: [], targetPath: '$.member' },
    {
      sourcePath: '$.members[*]',
      preserveArrayWithSingleElement: true,
      optional: true,
      targetVariable: 'membersVariable',
      functions: [
        { condition: "@.type != 'Group'", entityType: 'user', type: 'resolveEntityIds' },
        { condition: "@.type == 'Group'", entityType: 'group', type: 'resolveEntityIds' },
        member(
          "(@.type != 'Group') && ('%ldap.attribute.user.id%' != '%ldap.attribute.dn%')",
          'user.id',
          'user.path',
        ),
        member("@.type == 'Group'", 'group.id', 'group.path'),
      ],
    },
    {
      sourceVariable: 'membersVariable',
      variablePath: '$[*].value',
      preserveArrayWithSingleElement: true,
      optional: true,
      targetPath: '$.member',
    },
  ];
  const properties = {
    'ldap.class': 'objectClass',
    'ldap.attribute.user.id': 'uid',
    'ldap.attribute.group.id': 'cn',
    'ldap.attribute.dn': 'dn',
    'ldap.user.path': 'ou=Users',
    'ldap.group.path': 'ou=Groups',
  };

  it('gets members as names of entries, users and groups apart, unknown ones dropped', () => {
    const members = [{ value: 'u1', type: 'User' }, { value: 'g1', type: 'Group' }, { value: 'unknown' }];
    const resolveId = ({ id, entityType }: { id: string; entityType: string }) =>
      id === 'unknown' ? undefined : `${entityType}-${id}`;
    const { output } = runMappings(mappings, { userName: 'j', members }, { properties, resolveId });
    assert.deepEqual(output, {
      objectClass: ['inetOrgPerson'],
      uid: ['j'],
      member: ['uid=user-u1,ou=Users', 'cn=group-g1,ou=Groups'],
    });
  });

  it('keeps the empty list where there are no members', () => {
    assert.deepEqual(Object(runMappings(mappings, { userName: 'j' }, { properties }).output).member, []);
  });
});

describe('a directory as source', () => {
  const whenById = "('%ldap.attribute.user.id%' == '%ldap.attribute.dn%')";
  const mappings: Json[] = [
    {
      condition: whenById,
      constant: '',
      targetVariable: 'nestedPathRegex',
      functions: [{ function: 'concatString', prefix: '(?i)cn=.*?,(.*?)', suffix: ',%ldap.user.path%' }],
    },
    {
      condition: whenById,
      sourcePath: '$.%ldap.attribute.user.id%[0]',
      targetPath: "$['urn:ad:User']['nestedPath']",
      functions: [{ function: 'getMatchedRegexGroup', regex: '${nestedPathRegex}', groupIndex: 1 }],
      defaultValue: '',
    },
    { sourcePath: '$.displayName', optional: true, targetPath: '$.displayName[0]', defaultValue: [] },
    { condition: "$.memberOf contains 'admins'", constant: 'Admin', targetPath: '$.title' },
  ];
  const properties = {
    'ldap.attribute.user.id': 'distinguishedName',
    'ldap.attribute.dn': 'distinguishedName',
    'ldap.user.path': 'OU=users,DC=x',
  };
  const nestedPath = (name: string) =>
    Object(runMappings(mappings, { distinguishedName: [name] }, { properties }).output)['urn:ad:User']
      .nestedPath;

  it('takes the path between the name and the users with an expression from a variable', () => {
    assert.equal(nestedPath('CN=jdoe,OU=north,OU=users,DC=x'), 'OU=north');
    assert.equal(nestedPath('CN=jdoe,DC=elsewhere'), '');
  });

  it('is read without that path where entries have other ids', () => {
    const other = { ...properties, 'ldap.attribute.user.id': 'uid' };
    const { output } = runMappings(mappings, { uid: ['j'], memberOf: ['admins'] }, { properties: other });
    assert.deepEqual(output, { displayName: [[]], title: 'Admin' });
  });
});

describe('an ABAP system as target', () => {
  const mappings: Json[] = [
    {
      sourceVariable: 'entityIdTargetSystem',
      targetVariable: 'entityIdTargetSystem',
      functions: [{ type: 'decode', algorithm: 'base32', skipPadding: true }, { type: 'toString' }],
    },
    {
      sourcePath: '$.members[*].value',
      preserveArrayWithSingleElement: true,
      optional: true,
      targetPath: '$.USERLIST[?(@.USERNAME)]',
      functions: [
        { type: 'decode', algorithm: 'base32', skipPadding: true },
        { type: 'toString', applyOnElements: true },
      ],
    },
    { sourcePath: '$.name.familyName', optional: true, targetPath: '$.ADDRESS.LASTNAME' },
    { scope: 'createEntity', sourcePath: '$.name.familyName', targetPath: '$.ADDRESS.LASTNAME' },
  ];

  it('gets native user names from encoded ids', () => {
    const input = { members: [{ value: 'NJSG6ZI' }, { value: 'IRCVMRKMJ5IEKUQ' }] };
    const { output, variables } = runMappings(mappings, input, {
      operation: 'update',
      variables: { entityIdTargetSystem: 'LJPVGQKMIVJV6Q2MIVJEW' },
    });
    assert.deepEqual(output, { USERLIST: [{ USERNAME: 'jdoe' }, { USERNAME: 'DEVELOPER' }] });
    assert.equal(variables['entityIdTargetSystem'], 'Z_SALES_CLERK');
  });

  it('needs a last name on create only', () => {
    assert.deepEqual(runMappings(mappings, {}, { operation: 'update' }).output, {});
    assert.throws(
      () => runMappings(mappings, {}, { operation: 'create' }),
      /mapping 4: there is no value at \$\.name\.familyName/,
    );
  });
});

describe('roles of a business user', () => {
  const assign = (condition: string, prefix: string) => ({
    condition,
    function: 'concatString',
    applyOnElements: true,
    prefix,
    applyOnAttribute: 'roleName',
    assignToAttribute: 'display',
  });
  const mappings: Json[] = [
    {
      sourcePath: '$.user.role',
      optional: true,
      preserveArrayWithSingleElement: true,
      targetPath: '$.groups',
      functions: [
        {
          function: 'concatString',
          applyOnElements: true,
          prefix: '',
          applyOnAttribute: 'roleName',
          assignToAttribute: 'value',
        },
        assign("'%roles.prefix%' !== 'null'", '%roles.prefix%'),
        assign("'%roles.prefix%' === 'null'", ''),
      ],
    },
    { type: 'remove', targetPath: '$.groups[*].roleName' },
  ];
  const input = { user: { role: [{ roleName: 'R1' }] } };

  it('become groups, with and without a prefix', () => {
    assert.deepEqual(runMappings(mappings, input).output, { groups: [{ value: 'R1', display: 'R1' }] });
    const prefixed = runMappings(mappings, input, { properties: { 'roles.prefix': 'S4_' } });
    assert.deepEqual(prefixed.output, { groups: [{ value: 'R1', display: 'S4_R1' }] });
  });
});

describe('a group of an application', () => {
  const mappings: Json[] = [
    {
      condition: "'%ips.application.id%' !== 'null'",
      constant: '%ips.application.id%',
      targetPath: `$['${groupSchema}']['applicationId']`,
    },
    {
      sourcePath: `$['${groupSchema}']['supportedOperations']`,
      optional: true,
      defaultValue: 'readOnly',
      targetPath: `$['${groupSchema}']['supportedOperations']`,
    },
    {
      scope: 'createEntity',
      sourcePath: '$.displayName',
      targetPath: "$['urn:custom:Group']['name']",
      functions: [{ type: 'replaceAllString', regex: '[\\s\\p{Punct}]', replacement: '_' }],
    },
    {
      sourcePath: '$.displayName',
      targetPath: '$.displayName',
      functions: [
        {
          condition: 'isAttributeWithOptionalPrefix($.displayName, p)',
          function: 'replaceFirstString',
          regex: '%p%',
          replacement: '',
        },
      ],
    },
  ];

  it('carries its application and a name without punctuation', () => {
    const properties = { 'ips.application.id': 'app', p: 'PRE_' };
    assert.deepEqual(
      runMappings(mappings, { displayName: 'PRE_A b' }, { properties, operation: 'create' }).output,
      {
        [groupSchema]: { applicationId: 'app', supportedOperations: 'readOnly' },
        'urn:custom:Group': { name: 'PRE_A_b' },
        displayName: 'A b',
      },
    );
  });
});

describe('the id of a group', () => {
  it('is composed of its own and its type', () => {
    const mapping = {
      condition: `$['${groupSchema}']['type'] == 'userGroup'`,
      sourcePath: '$.externalId',
      functions: [
        { function: 'compositeId', separator: ':', subId: `$['${groupSchema}']['type']` },
        { condition: "'%p%' !== 'null'", function: 'concatString', prefix: '%p%' },
      ],
    };
    const input = { externalId: 'G1', [groupSchema]: { type: 'userGroup' } };
    assert.equal(valueOf(mapping, input, { properties: { p: 'S4_' } }), 'S4_G1:userGroup');
  });
});

describe('a disabling on delete', () => {
  const mappings: Json[] = [
    { sourceVariable: 'entityIdTargetSystem', targetPath: '$.id' },
    {
      scope: 'deleteEntity',
      constant: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      targetPath: '$.schemas',
    },
    { scope: 'deleteEntity', constant: 'replace', targetPath: '$.Operations[0].op' },
    { scope: 'deleteEntity', constant: 'active', targetPath: '$.Operations[0].path' },
    { scope: 'deleteEntity', constant: false, targetPath: '$.Operations[0].value' },
  ];

  it('builds the patch of a job and is nothing to a proxy', () => {
    const patch = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'active', value: false }],
    };
    assert.deepEqual(runMappings(mappings, {}, { operation: 'delete', mode: 'job' }).output, patch);
    assert.deepEqual(runMappings(mappings, {}, { operation: 'delete', mode: 'proxy' }).output, {});
  });
});

describe('a group assignment', () => {
  it('is left in variables for whoever writes', () => {
    const mappings: Json[] = [
      { constant: [{ id: 'g1' }], targetVariable: 'assignGroup' },
      { condition: "$.type == 'x'", constant: [{ id: 'g2' }], targetVariable: 'assignGroup' },
    ];
    assert.deepEqual(runMappings(mappings, { type: 'x' }).variables['assignGroup'], [{ id: 'g2' }]);
    assert.deepEqual(runMappings(mappings, {}).variables['assignGroup'], [{ id: 'g1' }]);
  });
});

describe('a lookup', () => {
  it('can be kept in a variable too', () => {
    const mapping = {
      type: 'valueMapping',
      sourcePaths: ['$.userType'],
      targetPath: '$.type',
      targetVariable: 'v',
      defaultValue: '1',
      valueMappings: [{ key: ['employee'], mappedValue: '2' }],
    };
    const { output, variables } = runMappings([mapping], { userType: 'employee' });
    assert.deepEqual([output, variables['v']], [{ type: '2' }, '2']);
  });
});
