/**
 * Which connections begin, and whose they are: decided before TLS, which costs us more than it costs them. Node's own
 * listeners see only those that may stay, and whoever reads a peer finds the one that was decided on here.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import type { Networks } from '../auth/network.ts';
import type { Source } from '../scim/call.ts';
import { introduce, nearEnd, seat } from './peer.ts';
import { ProxyFault, readAnnouncement } from './proxy-protocol.ts';
import { Room } from './room.ts';
import type { ReportNoise } from './server.ts';

export interface AdmissionOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** Who must announce each connection with the PROXY protocol. From all others its header is but bytes. */
  readonly announcers: Networks;
  readonly report: ReportNoise;
}

const announcementTimeMs = 5000;

export function admitTo(server: Server, options: AdmissionOptions) {
  const { maxConnections: most, maxConnectionsPerSource: mostPerSource, announcers, report } = options;
  const begun = new Room({ most, mostPerSource });
  // Apart from the others: a balancer has as many connections as all its callers, but few that wait.
  const unannounced = new Room({ most, mostPerSource });
  const accept = server.listeners('connection');
  server.removeAllListeners('connection');

  const turnAway = (socket: Socket, { ip }: Source): void => {
    report('proto.dropped', 'too-many-connections', ip);
    socket.destroy();
  };
  const giveWay = (socket: Socket, { ip }: Source): void => {
    report('proto.dropped', 'silent-when-others-came', ip);
    socket.destroy();
  };
  const begin = (socket: Socket, peer: Source): void => {
    introduce(socket, peer);
    const guest = begun.enter(peer.ip, () => giveWay(socket, peer));
    if (!guest) return turnAway(socket, peer);
    seat(socket, guest);
    socket.once('close', () => guest.leave());
    for (const each of accept) each.call(server, socket);
  };
  const awaitAnnouncement = async (socket: Socket, near: Source): Promise<void> => {
    const guest = unannounced.enter(near.ip, () => giveWay(socket, near));
    if (!guest) return turnAway(socket, near);
    try {
      begin(socket, await readAnnouncement(socket, announcementTimeMs));
    } catch (error) {
      socket.destroy();
      if (!(error instanceof ProxyFault)) throw error;
      // Balancers also look whether somebody listens, without a word.
      if (socket.bytesRead > 0 || error.code === 'proxy-header-timeout')
        report('proto.malformed', error.code, near.ip);
    } finally {
      guest.leave();
    }
  };
  server.on('connection', (socket: Socket) => {
    const near = nearEnd(socket);
    if (near.ip !== '' && announcers.has(near.ip)) void awaitAnnouncement(socket, near);
    else begin(socket, near);
  });
}
