import { type AdapterIam, adapterIam } from '@aurora-iam/core/adapter'
import type { RateLimit } from '@aurora-iam/rate-limit'
import { type Gateway, startGateway } from '../gateway/gateway.ts'
import type { GatewayEvent } from '../gateway/gateway-events.ts'
import { inNames } from '../output/in-names.ts'
import type { Endpoint } from './endpoint.ts'

/** Time for which a login proves that an endpoint is ready, in milliseconds. After that `/ready` opens a session. */
const LATELY_MS = 60_000

/** Time limit of a login of `/ready`, in milliseconds. */
const PROBE_TIMEOUT_MS = 5_000

/** An endpoint that listens. */
export class RunningEndpoint {
  readonly endpoint: Endpoint
  readonly gateway: Gateway
  readonly #iam: AdapterIam
  #probe: Promise<string | undefined> | undefined

  private constructor(endpoint: Endpoint, iam: AdapterIam, gateway: Gateway) {
    this.endpoint = endpoint
    this.#iam = iam
    this.gateway = gateway
  }

  /**
   * Starts an endpoint.
   *
   * @throws CommandError for an address that cannot be listened on; AuroraIamError for options that cannot be used
   */
  static async start(
    endpoint: Endpoint,
    rateLimit: RateLimit | undefined,
    onEvent: (event: GatewayEvent) => void,
  ): Promise<RunningEndpoint> {
    const { target, config, password, address, tls } = endpoint
    const { host, port, user, names } = target
    const options = { ...target.iam, rateLimit, maxWaitMs: config.maxWaitMs }
    const iam = inNames(names, () => adapterIam(options))
    try {
      const resolved = inNames(names, () => iam.resolve({ host, port, user }))
      // Reports wrong trust roots before a client connects.
      inNames(names, () => iam.tls(resolved))
      const gateway = await startGateway({
        iam,
        target: resolved,
        account: { user, password },
        listen: [address],
        tls,
        maxConnections: config.maxConnections,
        allowsLocalInfile: config.allowLocalInfile,
        onEvent,
      })
      return new RunningEndpoint(endpoint, iam, gateway)
    } catch (error) {
      iam.close()
      throw error
    }
  }

  /** The counts of the limiter, for metrics. */
  get limiter() {
    return Object.values(this.#iam.stats().rateLimits)[0]
  }

  /** Returns why the endpoint is not ready, or undefined if a login succeeded lately or succeeds now. */
  async notReady(): Promise<string | undefined> {
    const { lastLoginAt } = this.gateway
    if (lastLoginAt !== undefined && Date.now() - lastLoginAt.getTime() < LATELY_MS) return undefined
    this.#probe ??= this.gateway
      .probe(AbortSignal.timeout(PROBE_TIMEOUT_MS))
      .then(
        () => undefined,
        (error: Error) => error.message,
      )
      .finally(() => {
        this.#probe = undefined
      })
    return this.#probe
  }

  /** Stops listening and waits up to `drainMs` milliseconds for open sessions to end. */
  async close(drainMs: number): Promise<void> {
    await this.gateway.close(drainMs)
    this.#iam.close()
  }
}
