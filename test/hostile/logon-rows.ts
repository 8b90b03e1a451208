/** Rows 48 to 56: log-ons that are not what they seem. Every refusal is the same answer, whatever was wrong. */
import { request } from '../support/raw.ts';
import { sends } from './plain-stage.ts';
import { closed, refused, served, type Case, type Row, type Seen } from './row.ts';
import type { Scene } from './scene.ts';

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;
/** User and secret of a log-on that is right. */
const plain = (valid: string): string => Buffer.from(valid.slice('Basic '.length), 'base64').toString();
const user = 'identity-manager';

type Field = (valid: string) => string | undefined;

const logOn =
  (field: Field): Case['play'] =>
  (scene: Scene) => {
    const authorization = field(scene.siege.gateway.logOn());
    const [line = '', host = ''] = scene.head('GET', scene.path);
    return sends(() =>
      request([line, host, ...(authorization === undefined ? [] : [`Authorization: ${authorization}`])]),
    )(scene);
  };

const challenge = 'Basic realm="Gatehouse", charset="UTF-8", Bearer realm="Gatehouse"';

const sameForAll = {
  'the words are those of every refusal': ({ answers: [answer] }: Seen) =>
    answer?.headers['www-authenticate'] === challenge &&
    JSON.parse(answer.body).detail === 'A technical user and its secret are required.',
  'an unproven name is no actor': ({ records }: Seen) => !JSON.stringify(records).includes(user),
};

const wrong = (sent: string, field: Field): Case => ({
  sent,
  play: logOn(field),
  expected: refused('401', 'authn.failure'),
  besides: sameForAll,
});

export const logOnRows: readonly Row[] = [
  {
    row: 48,
    situation: 'no log-on',
    cases: [wrong('nothing', () => undefined), wrong('an empty field', () => '')],
  },
  {
    row: 49,
    situation: 'two log-ons',
    differs: 'the list calls it proto.ambiguous; it is a readable request, so it has a record of its own',
    cases: [
      {
        sent: 'the right one twice',
        play: sends((scene) =>
          request(scene.head('GET', '/Users/1', `authorization: ${scene.siege.gateway.logOn()}`)),
        ),
        expected: closed(refused('400')),
      },
      {
        sent: 'a wrong one before the right one',
        play: sends((scene) =>
          request(scene.head('GET', '/Users/1').toSpliced(2, 0, `Authorization: ${basic('a:b')}`)),
        ),
        expected: closed(refused('400')),
      },
    ],
  },
  {
    row: 50,
    situation: 'more behind the right secret',
    cases: [
      wrong('<user>:<secret>:anything', (valid) => basic(`${plain(valid)}:anything`)),
      wrong('<user>:<secret> and a space', (valid) => basic(`${plain(valid)} `)),
      wrong('<user>:<half of the secret>', (valid) => basic(plain(valid).slice(0, -4))),
    ],
  },
  {
    row: 52,
    situation: 'a scheme that only looks like Basic',
    cases: [
      wrong('NotBasicAtAll <right>', (valid) => `NotBasicAtAll ${valid.slice(6)}`),
      wrong('BasicX <right>', (valid) => `BasicX ${valid.slice(6)}`),
      wrong('Basic without a space', (valid) => `Basic${valid.slice(6)}`),
      wrong('Digest', () => 'Digest username="identity-manager"'),
      wrong('Negotiate', () => 'Negotiate YII='),
      { sent: 'bAsIc <right>', play: logOn((valid) => valid.replace('Basic', 'bAsIc')), expected: served() },
    ],
  },
  {
    row: 53,
    situation: 'a credential that is no clean base64 of UTF-8',
    cases: [
      wrong('! behind it', (valid) => `${valid}!`),
      wrong('wrong padding', () => 'Basic YTpi='),
      wrong('the URL’s alphabet', () => 'Basic Pz8_Og__'),
      wrong('bits that nobody reads', () => 'Basic YTpiYx=='),
      wrong('two spaces', (valid) => `Basic  ${valid.slice(6)}`),
      wrong('a second token', (valid) => `${valid} ${valid.slice(6)}`),
      wrong('two in one field', (valid) => `${valid}, ${valid}`),
      wrong('no UTF-8', () => basic(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))),
      wrong('no colon', () => basic(user)),
      wrong('10 kB', () => basic(`${'u'.repeat(7500)}:secret`)),
    ],
  },
  {
    row: 54,
    situation: 'control characters in a user’s name',
    cases: [
      wrong('CR LF', (valid) => basic(`${user}\r\nX: 1${plain(valid).slice(user.length)}`)),
      wrong('NUL', (valid) => basic(`${user}\0${plain(valid).slice(user.length)}`)),
      wrong('ESC', (valid) => basic(`\u001b[2J${plain(valid)}`)),
      wrong('DEL', (valid) => basic(`${user}\u007f${plain(valid).slice(user.length)}`)),
    ],
  },
  {
    row: 55,
    situation: 'users with the names of an object’s own',
    cases: ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name) =>
      wrong(name, () => basic(`${name}:secret`)),
    ),
  },
  {
    row: 56,
    situation: 'an unknown user and a wrong secret',
    cases: [
      wrong('nobody:secret', () => basic('nobody:secret')),
      wrong('<user>:wrong', () => basic(`${user}:wrong`)),
    ],
  },
];
