/**
 * The requests of one connection, one after the other. A caller may send the next before it has the answer to the
 * last, but only safe ones may then be served side by side (RFC 9112 §9.3.2), and one that follows a refusal may
 * have been meant otherwise. Whoever answers outside the order must ask here when it is its turn.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined when nothing was before it. */
  readonly before: Promise<void> | undefined;
  readonly answered: Promise<void>;
}

/** Of each connection the exchange that began last, while it is not answered. */
const latest = new WeakMap<Duplex, Exchange>();
/** No caller of ours sends ahead; this only bounds what a connection can make the gateway remember. */
const maxWaiting = 16;
/** Then the caller connects anew, so that none keeps for ever to what held when its connection began. */
const maxRequests = 1000;

/** @param refuse ends a connection whose caller sends too far ahead */
export function oneByOne(listener: RequestListener, refuse: (socket: Duplex) => void): RequestListener {
  const begun = new WeakMap<Duplex, number>();
  const waiting = new WeakMap<Duplex, number>();
  const wait = (socket: Duplex, change: number): number => {
    const count = (waiting.get(socket) ?? 0) + change;
    waiting.set(socket, count);
    return count;
  };
  return (request, response) => {
    const { socket } = request;
    const before = latest.get(socket)?.answered;
    if (before && wait(socket, 1) > maxWaiting) {
      refuse(socket);
      return;
    }
    const count = (begun.get(socket) ?? 0) + 1;
    begun.set(socket, count);
    // Node's own maximum announces the end of the connection and then keeps it.
    if (count >= maxRequests) response.shouldKeepAlive = false;
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    latest.set(socket, { request, response, before, answered });
    response.once('close', () => {
      if (latest.get(socket)?.response === response) latest.delete(socket);
      resolve();
    });
    const begin = (): void => listener(request, response);
    void before?.then(() => wait(socket, -1)).then(begin);
    if (!before) begin();
  };
}

/** Whether the caller has already sent another request behind this one. */
export function isFollowed(response: ServerResponse): boolean {
  const last = latest.get(response.req.socket);
  return last !== undefined && last.response !== response;
}

/** What must be answered before the request whose bytes broke off here; undefined when nothing must. */
export function answersBefore(socket: Duplex): Promise<void> | undefined {
  const last = latest.get(socket);
  return last?.request.complete ? last.answered : last?.before;
}

/** Whether the request whose bytes broke off here was answered before its end. */
export function isAnsweredEarly(socket: Duplex): boolean {
  const last = latest.get(socket);
  return last !== undefined && !last.request.complete && last.response.headersSent;
}
