/** Rows 24 to 39 and 117: targets that a router or the tenant could read otherwise than the gateway. */
import { systemId } from '../support/gateway.ts';
import { request } from '../support/raw.ts';
import { base, other, people, proxyBase, sends, target } from './plain-stage.ts';
import { malformed, refused, served, type Case, type Row, type Seen } from './row.ts';

const unclean = refused('400 invalidSyntax');
const absent = refused('404');

/** Nothing of what was sent is in the answer. */
const silent = (text: string) => ({
  'the answer repeats nothing': ({ answers }: Seen) => !answers.some(({ body }) => body.includes(text)),
});

const each =
  (expected: Case['expected']) =>
  (path: string): Case => ({
    sent: path.replace(base, '<base>').replace(systemId, '<system>').slice(0, 60),
    play: target(path),
    expected,
    besides: silent('evil'),
  });

/** What goes up of a target that is served. */
const up = (path: string) => ({
  [`${path.replace(base, '<base>')} goes up`]: ({ received }: Seen) => received[0]?.url === path,
});

const asStranger = (path: string): Case['play'] =>
  sends((scene) =>
    request(
      scene
        .head('GET', '')
        .with(0, `GET ${path} HTTP/1.1`)
        .with(2, `Authorization: ${scene.siege.gateway.logOn('stranger')}`),
    ),
  );

const brackets = '('.repeat(500);

export const pathRows: readonly Row[] = [
  {
    row: 24,
    situation: 'dot segments',
    cases: [
      '/../evil/Users',
      '/./Users',
      '/Users/..',
      '/%2e%2e/evil/Users',
      '/.%2e/evil/Users',
      '/%2E./evil/Users',
      '/Users/%2e',
      '/Users/..?count=1',
    ].map((path) => each(unclean)(base + path)),
  },
  {
    row: 25,
    situation: 'slashes in disguise',
    cases: [
      '/..%2fevil/Users',
      '/Users%2fevil',
      '/Users%5cevil',
      '\\Users',
      '/Users/a%2Fevil',
      '/Users/..%5c..%5cevil',
    ].map((path) => each(unclean)(base + path)),
  },
  {
    row: 26,
    situation: 'double encoding',
    cases: ['/%252e%252e/evil/Users', '/Users/%2541', '/Users/%25252e'].map((path) =>
      each(unclean)(base + path),
    ),
  },
  {
    row: 27,
    situation: 'path parameters',
    cases: ['/..;/evil/Users', '/Users;jsessionid=evil', '/Users/1;x=/../evil', '/Users%3bevil'].map((path) =>
      each(unclean)(base + path),
    ),
  },
  {
    row: 28,
    situation: 'doubled slashes',
    differs:
      'the list refuses all; those that callers make when they join a destination’s parts are accepted (decided)',
    cases: [
      ...[
        `//evil.example${base}/Users`,
        '/a//b',
        `${base}/Users//evil`,
        `${base}/Users/1//`,
        `///${base.slice(1)}/Users`,
        `/ipsproxy/service/api//v1/scim/${systemId}/Users`,
      ].map(each(unclean)),
      ...[`/${base}/Users/28`, `${proxyBase}//${systemId}/Users/28`, `${base}//Users/28`].map((path, at) => ({
        sent: path.replace(systemId, '<system>'),
        play: target(path.replace(/28$/, `28${at}`)),
        expected: served(),
        besides: up(`${base}/Users/28${at}`),
      })),
    ],
  },
  {
    row: 29,
    situation: 'characters that have no place in a target',
    cases: [
      ...[
        '/Users/%00',
        '/Users/1%0d%0aX:evil',
        '/Users?filter=a%0d%0aX:evil',
        '/Users/%zz',
        '/Users/%c0%ae',
        '/Users/%e2%80',
        '/Users/%',
        '/Users/%7f',
        '/Users/<evil>',
        '/Users/{1}',
        '/Users?a=%00',
      ].map((path) => each(unclean)(base + path)),
      ...['/Users/Müller', '/Users?filter=ü', '/Users/a b'].map((path) => each(malformed())(base + path)),
    ],
  },
  {
    row: 30,
    situation: 'a fragment',
    cases: ['/Users#evil', '/Users?count=1#evil', '/Users/1#/../evil'].map((path) =>
      each(unclean)(base + path),
    ),
  },
  {
    row: 31,
    situation: 'another case',
    cases: [
      base.toUpperCase() + '/Users',
      `${base}/users`,
      `${base}/USERS`,
      `${proxyBase}/${systemId.toUpperCase()}/Users`,
      `/Ips/service/publicapi/v1/jobLogs/1`,
    ].map(each(absent)),
  },
  {
    row: 32,
    situation: 'a system that the caller is not assigned to',
    cases: [
      {
        sent: '<another’s system>/Users/1',
        play: asStranger(`${base}/Users/1`),
        expected: refused('403', 'authz.denied'),
      },
      {
        sent: '<another’s system>/Users',
        play: asStranger(`${base}/Users`),
        expected: refused('403', 'authz.denied'),
      },
      { sent: 'the own one', play: asStranger(`${proxyBase}/${other}/Users/32`), expected: served() },
    ],
  },
  {
    row: 33,
    situation: 'a system that does not exist',
    cases: [
      'unknown',
      '__proto__',
      'constructor',
      '%5f%5fproto%5f%5f',
      'b1f0e7a2-0000-4000-8000-000000000003',
    ].map((id) => each(absent)(`${proxyBase}/${id}/Users`)),
  },
  {
    row: 34,
    situation: 'what no system has',
    cases: [
      '/Users/1/extra',
      '/Devices',
      '/__proto__',
      '/Users/1/Groups',
      '/Bulk',
      '/.search',
      '/Schemas',
      '/Me',
    ].map((path) => each(absent)(base + path)),
  },
  {
    row: 35,
    situation: 'a parameter given twice',
    cases: [
      ...['filter=a&filter=b', 'filter=a&%66ilter=b'].map((query) =>
        each(refused('400 invalidFilter'))(`${base}/Users?${query}`),
      ),
      ...['count=1&count=2', 'startIndex=1&startIndex=1', 'attributes=a&attributes=b'].map((query) =>
        each(refused('400 invalidValue'))(`${base}/Users?${query}`),
      ),
    ],
  },
  {
    row: 36,
    situation: 'page numbers beyond sense',
    cases: [
      ...[
        'count=1e9',
        'count=1000000000',
        'count=0x10',
        'startIndex=',
        'count=1.5',
        'startIndex=9007199254740993',
      ].map((query) => each(refused('400 invalidValue'))(`${base}/Users?${query}`)),
      ...['count=-1', 'startIndex=0', 'startIndex=-5', 'count=999999999'].map((query) => ({
        sent: query,
        play: target(`${base}/Users?${query}`),
        expected: served(),
        besides: up(`${base}/Users?${query}`),
      })),
    ],
  },
  {
    row: 37,
    situation: 'a filter without end',
    cases: [
      {
        sent: 'a filter of 10,000 characters',
        play: target(`${base}/Users?filter=userName%20eq%20%22${'x'.repeat(10_000)}%22`),
        expected: refused('400 invalidFilter'),
      },
      {
        sent: '500 brackets',
        play: target(`${base}/Users?filter=${brackets}userName%20pr${brackets.replaceAll('(', ')')}`),
        expected: refused('400 invalidFilter'),
        besides: { 'it costs no time': ({ ms }) => ms < 1000 },
      },
    ],
  },
  {
    row: 38,
    situation: 'a filter by a password',
    differs:
      'the list calls it request.rejected; the trail says authz.denied, for it is a right that nobody has',
    cases: [
      'password eq "Canary-38"',
      'PASSWORD sw "Canary-38"',
      'urn:ietf:params:scim:schemas:core:2.0:User:password pr',
      'not (userName eq "a" or password co "Canary-38")',
    ].map((filter) => ({
      sent: filter,
      play: target(`${base}/Users?filter=${encodeURIComponent(filter)}`),
      expected: refused('403 sensitive', 'authz.denied'),
      besides: {
        ...silent('Canary-38'),
        'the trail does not know the value': ({ records }) => !JSON.stringify(records).includes('Canary-38'),
      },
    })),
  },
  {
    row: 39,
    situation: 'a password asked for',
    cases: [
      {
        sent: 'attributes=password',
        play: target(`${base}/Users/39?attributes=password`),
        expected: served(),
        besides: up(`${base}/Users/39?attributes=id`),
      },
      {
        sent: 'attributes=userName,password',
        play: target(`${base}/Users/39?attributes=userName,password`),
        expected: served(),
        besides: up(`${base}/Users/39?attributes=userName`),
      },
    ],
  },
  {
    row: 117,
    situation: 'what an operator has, on the callers’ port',
    cases: [
      '/metrics',
      '/admin',
      '/health',
      '/health?verbose',
      '/health/ready',
      '/',
      '/.well-known/security.txt',
      '/favicon.ico',
      '/.env',
      '/console',
      `/${people}`,
    ].map(each(absent)),
  },
];
