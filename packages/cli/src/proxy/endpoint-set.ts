import type { RateLimit } from '@aurora-iam/rate-limit'
import type { GatewayEvent } from '../gateway/gateway-events.ts'
import type { Endpoint } from './endpoint.ts'
import { RunningEndpoint } from './running-endpoint.ts'

/** Options of {@link EndpointSet}. */
export interface EndpointSetOptions {
  readonly drainMs: number
  /** Returns the limit of an endpoint. */
  readonly rateLimitOf: (endpoint: Endpoint) => RateLimit | undefined
  readonly onEvent: (endpoint: string, event: GatewayEvent) => void
  readonly onStart: (running: RunningEndpoint) => void
}

/** The endpoints of a proxy that run. `apply` changes them to those of a new config. */
export class EndpointSet {
  readonly #options: EndpointSetOptions
  readonly #running = new Map<string, RunningEndpoint>()
  readonly #draining = new Set<Promise<void>>()

  constructor(options: EndpointSetOptions) {
    this.#options = options
  }

  /** The endpoints that run. */
  get running(): Iterable<RunningEndpoint> {
    return this.#running.values()
  }

  /**
   * Starts the endpoints that are new, drains those that are gone, and leaves the others untouched. An endpoint that
   * changed stops listening first and drains: its sessions go on.
   *
   * @throws the first error of an endpoint that cannot start. The others run
   */
  async apply(endpoints: readonly Endpoint[]): Promise<void> {
    const wanted = new Set(endpoints.map(({ digest }) => digest))
    for (const [digest, running] of this.#running) {
      if (wanted.has(digest)) continue
      this.#running.delete(digest)
      const drained = running.close(this.#options.drainMs)
      this.#draining.add(drained)
      void drained.finally(() => this.#draining.delete(drained))
    }
    const errors: unknown[] = []
    for (const endpoint of endpoints) {
      if (this.#running.has(endpoint.digest)) continue
      try {
        const report = (event: GatewayEvent): void => this.#options.onEvent(endpoint.name, event)
        const running = await RunningEndpoint.start(endpoint, this.#options.rateLimitOf(endpoint), report)
        this.#running.set(endpoint.digest, running)
        this.#options.onStart(running)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  /** Stops listening everywhere and waits up to `drainMs` milliseconds for open sessions to end. */
  async close(drainMs: number): Promise<void> {
    const closed = [...this.#running.values()].map((running) => running.close(drainMs))
    await Promise.all([...closed, ...this.#draining])
  }
}
