/**
 * Who else can access a file with a secret. Its owner alone may; that a group can read it is accepted only from the
 * platforms that hand secrets over like that, because then root decided who is in the group.
 */
import type { Stats } from 'node:fs';

export interface Account {
  readonly uid: number;
  /** Its own and all others that it is in. */
  readonly groups: readonly number[];
}

/** Undefined where the platform knows no such thing, and modes say nothing. */
export function ownAccount(): Account | undefined {
  const { getuid, getgid, getgroups } = process;
  if (!getuid || !getgid || !getgroups) return undefined;
  return { uid: getuid(), groups: [getgid(), ...getgroups()] };
}

export function isOpenToOthers(file: Pick<Stats, 'mode' | 'uid' | 'gid'>, account: Account): boolean {
  if ((file.mode & 0o037) !== 0) return true;
  return (file.mode & 0o040) !== 0 && !isHandedOver(file, account);
}

/**
 * Files of a Kubernetes Secret belong to root and the pod's `fsGroup`. systemd's belong to root altogether: what it
 * grants to the service is an entry of the access list, which the mode shows as if the group could read.
 */
function isHandedOver({ uid, gid }: Pick<Stats, 'uid' | 'gid'>, account: Account): boolean {
  return uid === 0 && account.uid !== 0 && (gid === 0 || account.groups.includes(gid));
}
