/**
 * The repetitions that IPS makes towards a backend before a caller hears anything: two more attempts, 30 s
 * apart. One proxied write may so outlast its caller's patience (facts: IPS 5.3, 5.4).
 */
import type { Backend, Page, PageRequest } from './backend.ts';
import type { BackendFault } from './faults.ts';
import { BackendFailure, BackendTimeout, scimFailure } from './refusal.ts';
import type { Resource, ResourceType } from './resource.ts';

export interface RetryOptions {
  readonly properties: Readonly<Record<string, string>>;
  /** Waits; a test or a rehearsal gives a faster one. */
  readonly pause: (ms: number) => Promise<void>;
  /** The fault that the next call to the backend suffers, if one was ordered. */
  readonly takeFault: (type: ResourceType) => BackendFault | undefined;
}

export class RetryingBackend implements Backend {
  readonly #inner: Backend;
  readonly #options: RetryOptions;
  readonly #attempts: number;
  readonly #intervalMs: number;

  constructor(inner: Backend, options: RetryOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#attempts = limited(options.properties['ips.failed.request.retry.attempts'], 2, 3);
    this.#intervalMs =
      limited(options.properties['ips.failed.request.retry.attempts.interval'], 30, 60) * 1000;
  }

  get url(): string {
    return this.#inner.url;
  }

  get givesTotal(): boolean {
    return this.#inner.givesTotal;
  }

  get filters(): boolean {
    return this.#inner.filters;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#inner[Symbol.asyncDispose]();
  }

  idOf(type: ResourceType, entity: Resource): string {
    return this.#inner.idOf(type, entity);
  }

  page(type: ResourceType, request: PageRequest): Promise<Page> {
    const call = () => this.#inner.page(type, request);
    return request.ofFullRead ? this.#persist(type, call) : this.#read(type, call);
  }

  count(type: ResourceType, request: Pick<PageRequest, 'match' | 'restriction'>): Promise<number> {
    return this.#inner.count(type, request);
  }

  get(type: ResourceType, id: string): Promise<Resource> {
    return this.#read(type, () => this.#inner.get(type, id));
  }

  create(type: ResourceType, resource: Resource, id?: string): Promise<Resource> {
    return this.#persist(type, () => this.#inner.create(type, resource, id));
  }

  replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    return this.#persist(type, () => this.#inner.replace(type, id, resource));
  }

  patch(type: ResourceType, id: string, patch: unknown): Promise<void> {
    return this.#persist(type, () => this.#inner.patch(type, id, patch));
  }

  delete(type: ResourceType, id: string): Promise<void> {
    return this.#persist(type, () => this.#inner.delete(type, id));
  }

  /** A read of the proxy is repeated after 429 only, never after a timeout. */
  #read<T>(type: ResourceType, call: () => Promise<T>): Promise<T> {
    return this.#try(type, call, (failure) => failure.status === 429);
  }

  /** A write, and a page of a job's full read. */
  #persist<T>(type: ResourceType, call: () => Promise<T>): Promise<T> {
    return this.#try(type, call, (failure) => failure.status === 429 || failure instanceof BackendTimeout);
  }

  async #try<T>(
    type: ResourceType,
    call: () => Promise<T>,
    worthwhile: (failure: BackendFailure) => boolean,
  ): Promise<T> {
    for (let left = this.#attempts; ; left--) {
      try {
        return await this.#suffer(type, call);
      } catch (error) {
        if (!(error instanceof BackendFailure) || left === 0 || !worthwhile(error)) throw error;
        await this.#options.pause(this.#intervalMs);
      }
    }
  }

  async #suffer<T>(type: ResourceType, call: () => Promise<T>): Promise<T> {
    const fault = this.#options.takeFault(type);
    if (fault?.kind === 'backend-status') throw scimFailure(fault.status, 'The backend is not available.');
    if (fault?.kind !== 'backend-timeout') return await call();
    if (fault.done) await call();
    throw new BackendTimeout();
  }
}

function limited(text: string | undefined, normal: number, most: number): number {
  const value = Number(text ?? normal);
  return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : normal;
}
