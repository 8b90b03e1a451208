/**
 * The proxy interface: finds the system and the resource type that a SCIM call of an identity manager means
 * (facts: IPS 1.1, 3). What is not named here does not exist.
 */
import { methodNotAllowed, type Answer, type Ask } from './answer.ts';
import { discover, discoveryNames, type DiscoveryName } from './discovery.ts';
import { ProxyEndpoint, type ProxyParts } from './proxy-endpoint.ts';
import { Refusal } from './refusal.ts';
import { resourceTypes } from './resource.ts';
import type { System } from './system.ts';

export class ProxyApi {
  readonly #parts: ProxyParts;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
  }

  /** @param below the path's segments behind `/scim` */
  async answer(ask: Ask, below: readonly string[]): Promise<Answer> {
    const [systemId = '', typeSegment = '', id, ...more] = below;
    const system = this.#system(systemId);
    if (below.length === 1 && ask.method === 'GET')
      // What SAP IAG's connection test counts as success (facts: IPS 1.1).
      return { status: 301, headers: { location: `${this.#parts.address()}/admin/` }, body: '' };
    const document = discoveryNames.find((known) => known === typeSegment);
    if (document && id === undefined) return this.#discover(ask, system, document);
    const type = resourceTypes.find((known) => known === typeSegment);
    if (!type || more.length > 0 || !system.transformer.supports(type)) throw this.#noEndpoint(typeSegment);
    const target = new ProxyEndpoint(system, type, this.#parts);
    if (id === undefined) {
      if (ask.method === 'GET') return await target.list(ask);
      if (ask.method === 'POST') return await target.create(ask);
      throw methodNotAllowed('GET', 'POST');
    }
    if (ask.method === 'GET') return await target.get(ask, id);
    if (ask.method === 'PUT') return await target.replace(ask, id);
    if (ask.method === 'PATCH') return await target.patch(ask, id);
    if (ask.method === 'DELETE') return await target.delete(ask, id);
    throw methodNotAllowed('GET', 'PUT', 'PATCH', 'DELETE');
  }

  #system(id: string): System {
    const { systems, assumptions } = this.#parts;
    const system = systems.get(id);
    if (!system || system.role !== 'proxy')
      throw new Refusal(assumptions.unknownSystem, `There is no proxy system with id ${id}.`);
    if (!system.enabled) throw new Refusal(assumptions.disabledSystem, 'The proxy system is disabled.');
    return system;
  }

  #discover(ask: Ask, system: System, document: DiscoveryName): Answer {
    const { assumptions, address } = this.#parts;
    if (assumptions.discovery === 'absent')
      throw new Refusal(404, 'The discovery endpoint is not supported.');
    if (ask.method !== 'GET') throw methodNotAllowed('GET');
    const base = `${address()}/ipsproxy/service/api/v1/scim/${system.id}`;
    return discover(document, base, assumptions.etag === 'version');
  }

  #noEndpoint(segment: string): Refusal {
    if (segment === 'Bulk') return new Refusal(this.#parts.assumptions.bulk, 'Bulk is not supported.');
    return new Refusal(404, 'The resource type is not supported.');
  }
}
