/** Reading with paths: the table of the facts (6.1) and the details of the Jayway dialect. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Json } from '../../src/transformation/json.ts';
import { readAt } from './support.ts';

const user = {
  emails: [{ value: 'a@x.de', primary: true }, { value: 'b@x.de' }],
  name: { givenName: 'Ann' },
  attributes: [{ name: 'c1', value: '7' }],
  empty: [],
  nothing: null,
  text: 'four',
  numbers: [5, 1, 4, 2],
  'urn:x:2.0:User': { 'a.b': { $ref: 'r' } },
  tree: { value: 1, below: [{ value: 2, below: { value: 3 } }] },
};

const definite: Record<string, Json | undefined> = {
  $: user,
  '$.name.givenName': 'Ann',
  'name.givenName': 'Ann',
  "$['name']['givenName']": 'Ann',
  '$["name"].givenName': 'Ann',
  '$.emails[1].value': 'b@x.de',
  '$.emails[-1].value': 'b@x.de',
  '$.emails[2].value': undefined,
  '$.emails[-3]': undefined,
  '$.nothing': null,
  '$.nothing.more': undefined,
  '$.text.more': undefined,
  '$.name[0]': undefined,
  "$['urn:x:2.0:User']['a.b']['$ref']": 'r',
  '$.emails.value': undefined,
  '$.constructor': undefined,
  "$.name['givenName','familyName']": { givenName: 'Ann' },
};

const indefinite: Record<string, Json | undefined> = {
  '$.emails[*].value': ['a@x.de', 'b@x.de'],
  '$.emails.*.value': ['a@x.de', 'b@x.de'],
  '$.emails[?(@.primary == true)].value': ['a@x.de'],
  '$.emails[?(@.primary)].value': ['a@x.de'],
  '$.emails[?(!@.primary)].value': ['b@x.de'],
  '$.emails[?(@.value =~ /B@.*/i)].value': ['b@x.de'],
  "$['attributes'][?(@.name=='c1')]['value']": ['7'],
  "$.emails[?((@.primary == true) || (@.value == 'b@x.de'))].value": ['a@x.de', 'b@x.de'],
  '$.emails[?(@.value == $.emails[0].value)].primary': [true],
  "$.emails[*].['value','primary']": [{ value: 'a@x.de', primary: true }, { value: 'b@x.de' }],
  "$['name','tree']['givenName','value']": [{ givenName: 'Ann' }, { value: 1 }],
  '$.phoneNumbers[*].value': undefined,
  '$.phoneNumbers[?(@.a)]': undefined,
  '$.empty[*].value': [],
  '$.empty[?(@.a)]': [],
  '$.nothing[*]': [],
  '$.nothing[?(@.a)]': undefined,
  '$.text[*]': [],
  "$.name[?(@.givenName == 'Ann')].givenName": ['Ann'],
  "$.name[?(@.givenName == 'Bob')]": [],
  '$.numbers[?(@ > 3)]': [5, 4],
  '$.numbers[0,2]': [5, 4],
  '$.numbers[0,9]': [5],
  '$.numbers[1:3]': [1, 4],
  '$.numbers[2:]': [4, 2],
  '$.numbers[-2:]': [4, 2],
  '$.numbers[:2]': [5, 1],
  '$.numbers[:-3]': [5],
  '$.numbers[-3:-1]': [1, 4],
  '$.numbers[1:-1]': [],
  '$.text[0:2]': undefined,
  '$..primary': [true],
  '$.tree..value': [1, 2, 3],
  '$.tree..below[0].value': [2],
  '$.tree..[?(@.value > 1)].value': [2, 3],
  '$.tree..[0].value': [2],
  '$.tree.below[0].*': [2, { value: 3 }],
  '$..missing': [],
};

const reckoned: Record<string, Json | undefined> = {
  '$.emails.length()': 2,
  '$.emails[0].length()': 2,
  '$.empty.length()': 0,
  '$.text.length()': 4,
  '$.missing.length()': undefined,
  '$.nothing.length()': undefined,
  '$.length($.emails[?(@.primary == true)])': 1,
  '$.numbers.min()': 1,
  '$.numbers.max()': 5,
  '$.numbers.avg()': 3,
  '$.numbers.sum()': 12,
  '$.empty.sum()': undefined,
  '$.numbers.stddev()': Math.sqrt(2.5),
  '$.name.keys()': ['givenName'],
  "$.empty.concat($.text, 'x')": 'fourx',
  '$.numbers.append(9)': [5, 1, 4, 2, 9],
  '$.numbers.first()': 5,
  '$.numbers.last()': 2,
  '$.numbers.index(-2)': 4,
};

describe('a path', () => {
  for (const [kind, table] of Object.entries({ definite, indefinite, reckoned })) {
    for (const [path, expected] of Object.entries(table)) {
      const yields = expected === undefined ? 'nothing' : JSON.stringify(expected).slice(0, 60);
      it(`reads ${yields} at ${path} (${kind})`, () => {
        assert.deepEqual(readAt(path, user), expected);
      });
    }
  }
});
