/** Which modes and owners a file with a secret may have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isOpenToOthers, type Account } from '../../src/gateway/private-file.ts';

const [root, gatehouse, somebody] = [0, 1000, 1001];
const own: Account = { uid: gatehouse, groups: [gatehouse, 2000] };
const superuser: Account = { uid: root, groups: [root] };

for (const [what, mode, uid, gid, account = own] of [
  ['the account’s own, read only', 0o400, gatehouse, gatehouse],
  ['the account’s own', 0o600, gatehouse, gatehouse],
  ['root’s, for root', 0o400, root, root, superuser],
  ['one of a Kubernetes Secret with fsGroup', 0o440, root, 2000],
  ['one of a Kubernetes Secret with fsGroup, as it comes by default', 0o640, root, 2000],
  ['one of systemd’s credentials, with an access list', 0o440, root, root],
  ['one of systemd’s credentials, without', 0o400, gatehouse, root],
] as readonly (readonly [string, number, number, number, Account?])[])
  test(`${what} is private (0${mode.toString(8)})`, () => {
    assert.equal(isOpenToOthers({ mode: 0o100000 | mode, uid, gid }, account), false);
  });

for (const [what, mode, uid, gid, account = own] of [
  ['the account’s own that its group can read', 0o440, gatehouse, gatehouse],
  ['the account’s own that another of its groups can read', 0o640, gatehouse, 2000],
  ['somebody’s that the account’s group can read', 0o440, somebody, gatehouse],
  ['root’s that a foreign group can read', 0o440, root, 3000],
  ['root’s that its group can read, where root runs', 0o440, root, root, superuser],
  ['root’s that the account’s group can write', 0o460, root, 2000],
  ['root’s that the account’s group can execute', 0o450, root, 2000],
  ['root’s that everybody can read', 0o444, root, 2000],
  ['root’s that everybody can write', 0o402, root, 2000],
  ['the account’s own that everybody can enter', 0o601, gatehouse, gatehouse],
] as readonly (readonly [string, number, number, number, Account?])[])
  test(`${what} is open to others (0${mode.toString(8)})`, () => {
    assert.equal(isOpenToOthers({ mode: 0o100000 | mode, uid, gid }, account), true);
  });
