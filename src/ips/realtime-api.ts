/**
 * The real-time provisioning interface: a source system's notice that one entity has changed. The tenant
 * takes the notice with 202 and reads the entity from the source itself (facts: IPS 1.3, 10).
 */
import { methodNotAllowed, readJson, type Answer, type Ask } from './answer.ts';
import type { RealtimeNotice } from './provisioning.ts';
import { Refusal } from './refusal.ts';
import { idOf } from './resource.ts';
import type { System } from './system.ts';

export interface RealtimeParts {
  readonly systems: ReadonlyMap<string, System>;
  readonly take: (notice: RealtimeNotice) => void;
}

export class RealtimeApi {
  readonly #parts: RealtimeParts;

  constructor(parts: RealtimeParts) {
    this.#parts = parts;
  }

  /** @param below the path's segments behind `/systems` */
  async answer(ask: Ask, below: readonly string[]): Promise<Answer> {
    const [systemId = '', entities, entity, pathId, ...more] = below;
    if (entities !== 'entities' || (entity !== 'user' && entity !== 'group') || more.length > 0)
      throw new Refusal(404, 'There is no such endpoint.');
    if (ask.method !== 'POST' && ask.method !== 'DELETE') throw methodNotAllowed('POST', 'DELETE');
    const source = this.#parts.systems.get(systemId);
    if (source?.role !== 'source') throw new Refusal(404, 'There is no such source system.');
    const id = pathId ?? idOf(readJson(ask));
    if (id === '') throw new Refusal(400, 'The entity has no id.', { scimType: 'invalidValue' });
    this.#parts.take({ source, entity, id, deleted: ask.method === 'DELETE' });
    return { status: 202, headers: {}, body: '' };
  }
}
