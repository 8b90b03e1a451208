/**
 * The rehearsal's own interface, not SAP's: faults are ordered, shown and cleared by JSON on
 * `/rehearsal/faults`. Only peers on the same machine are answered, because it asks for no credential.
 */
import { z } from 'zod';

import { jsonAnswer, methodNotAllowed, nothing, type Answer, type Ask } from './answer.ts';
import { faultOrderShape, type Faults } from './faults.ts';
import { Refusal } from './refusal.ts';

const ordersShape = z.array(faultOrderShape).max(100);
const loopback = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;

export class FaultsApi {
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  async answer(ask: Ask, below: readonly string[]): Promise<Answer> {
    if (!loopback.test(ask.from) || below.join('/') !== 'faults')
      throw new Refusal(404, 'There is no such endpoint.');
    if (ask.method === 'GET') return jsonAnswer(200, this.#faults.pending);
    if (ask.method === 'DELETE') {
      this.#faults.order([]);
      return nothing;
    }
    if (ask.method !== 'PUT') throw methodNotAllowed('GET', 'PUT', 'DELETE');
    // A page in the administrator's browser can send a form here, but not JSON without asking first.
    if (!ask.headers['content-type']?.startsWith('application/json'))
      throw new Refusal(415, 'Faults are ordered as application/json.');
    this.#faults.order(readOrders(ask.body));
    return jsonAnswer(200, this.#faults.pending);
  }
}

function readOrders(body: Buffer): z.input<typeof ordersShape> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new Refusal(400, 'The body is not JSON.', { cause });
  }
  const orders = ordersShape.safeParse(value);
  if (!orders.success) throw new Refusal(400, z.prettifyError(orders.error));
  return orders.data;
}
