import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { GatewayEvent } from '../gateway/gateway-events.ts'
import type { RunningEndpoint } from './running-endpoint.ts'

const labelNames = ['endpoint'] as const

/** Prometheus metrics of a proxy. Their one label is the name of the endpoint. */
export class ProxyMetrics {
  readonly #registry = new Registry()
  readonly #logins = this.#counter(
    'aurora_iam_proxy_logins_total',
    'Clients that got a session with the database',
  )
  readonly #failures = this.#counter(
    'aurora_iam_proxy_failures_total',
    'Clients that the database gave no session',
  )
  readonly #rejected = this.#counter('aurora_iam_proxy_rejected_total', 'Clients that could not be served')
  readonly #denied = this.#counter(
    'aurora_iam_proxy_access_denied_total',
    'Clients with a wrong user or password',
  )
  readonly #seconds = new Histogram({
    name: 'aurora_iam_proxy_login_duration_seconds',
    help: 'Time from the connection of a client to its session',
    labelNames,
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.#registry],
  })

  /** @param running - Returns the endpoints that run when the metrics are read. */
  constructor(running: () => Iterable<RunningEndpoint>) {
    const gauge = (
      name: string,
      help: string,
      read: (endpoint: RunningEndpoint) => number | undefined,
    ): void => {
      const collect = (): void => {
        metric.reset()
        for (const endpoint of running())
          metric.set({ endpoint: endpoint.endpoint.name }, read(endpoint) ?? 0)
      }
      const metric = new Gauge({ name, help, labelNames, collect, registers: [this.#registry] })
    }
    gauge('aurora_iam_proxy_connections', 'Connections that are open', ({ gateway }) => gateway.connections)
    gauge('aurora_iam_proxy_last_login_timestamp_seconds', 'When a login succeeded last', ({ gateway }) =>
      gateway.lastLoginAt === undefined ? 0 : gateway.lastLoginAt.getTime() / 1000,
    )
    gauge(
      'aurora_iam_proxy_permits_waiting',
      'Clients that wait for a permit',
      ({ limiter }) => limiter?.waiting,
    )
    gauge(
      'aurora_iam_proxy_permit_limit',
      'New connections per second in force',
      ({ limiter }) => limiter?.effectiveLimit,
    )
  }

  /** Counts an event. */
  record(endpoint: string, event: GatewayEvent): void {
    const labels = { endpoint }
    if (event.type === 'login') {
      this.#logins.inc(labels)
      this.#seconds.observe(labels, event.durationMs / 1000)
    } else if (event.type === 'failed') this.#failures.inc(labels)
    else if (event.type === 'rejected') (event.isAccessDenied ? this.#denied : this.#rejected).inc(labels)
  }

  /** Content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Returns the metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter(name: string, help: string): Counter<'endpoint'> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }
}
