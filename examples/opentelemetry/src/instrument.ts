import { subscribe } from 'node:diagnostics_channel'
import type {
  AuroraIam,
  ConnectEvent,
  ConnectFailedEvent,
  EndpointEvent,
  PermitEvent,
  TokenEvent,
} from '@aurora-iam/core'
import { type Attributes, metrics, SpanStatusCode, trace } from '@opentelemetry/api'

/**
 * Spans and metrics from the events of aurora-iam, for whatever OpenTelemetry SDK is set up. Names and units are
 * those of the semantic conventions for databases, where there is one.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
 */
export function instrumentAuroraIam(): void {
  const tracer = trace.getTracer('aurora-iam')
  const meter = metrics.getMeter('aurora-iam')
  const createTime = meter.createHistogram('db.client.connection.create_time', { unit: 's' })
  const permitWait = meter.createHistogram('aurora_iam.permit.wait_time', { unit: 's' })
  const tokens = meter.createCounter('aurora_iam.tokens', { unit: '{token}' })
  const refusals = meter.createCounter('aurora_iam.refusals', { unit: '{connection}' })

  // The event is published at the end of its step, in the context of the code that asked for the connection.
  const span = (name: string, attributes: Attributes, durationMs: number) =>
    tracer.startSpan(name, { attributes, startTime: Date.now() - durationMs })

  on<TokenEvent>('aurora-iam:token', (event) => {
    tokens.add(1, endpoint(event))
    span('aurora-iam token', endpoint(event), event.durationMs).end()
  })
  on<PermitEvent>('aurora-iam:rate-limit:permit', (event) => {
    if (event.type !== 'granted') return
    const attributes = event.key === undefined ? {} : { 'aurora_iam.rate_limit.key': event.key }
    permitWait.record(event.waitedMs / 1000, attributes)
    span('aurora-iam permit', attributes, event.waitedMs).end()
  })
  on<ConnectEvent>('aurora-iam:connect', (event) => {
    createTime.record(event.durationMs / 1000, endpoint(event))
    span('aurora-iam login', endpoint(event), event.durationMs).end()
  })
  on<ConnectFailedEvent>('aurora-iam:connect-failed', (event) => {
    const { code } = event.error as { code?: string }
    const attributes = { ...endpoint(event), 'error.type': code ?? event.error.name, stage: event.stage }
    refusals.add(1, attributes)
    const failed = span('aurora-iam login', attributes, event.durationMs)
    failed.setStatus({ code: SpanStatusCode.ERROR, message: event.error.message })
    failed.end()
  })
}

/**
 * Metrics of each pool: how many connections are open, wait to be opened, were retired and for what reason, and were
 * replaced. A generation that rises is a failover or a switchover.
 */
export function observePools(iam: Pick<AuroraIam, 'stats'>): void {
  const meter = metrics.getMeter('aurora-iam')
  const open = meter.createObservableUpDownCounter('db.client.connection.count', { unit: '{connection}' })
  const waiting = meter.createObservableUpDownCounter('db.client.connection.pending_requests', {
    unit: '{request}',
  })
  const generation = meter.createObservableCounter('aurora_iam.pool.generation', { unit: '{generation}' })
  const retired = meter.createObservableCounter('aurora_iam.pool.retired', { unit: '{connection}' })
  const replaced = meter.createObservableCounter('aurora_iam.pool.replaced', { unit: '{connection}' })
  meter.addBatchObservableCallback(
    (result) => {
      for (const pool of iam.stats().pools) {
        const attributes = endpoint(pool)
        result.observe(open, pool.open, attributes)
        result.observe(waiting, pool.waiting, attributes)
        result.observe(generation, pool.generation, attributes)
        result.observe(replaced, pool.replaced, attributes)
        for (const [reason, count] of Object.entries(pool.retired))
          result.observe(retired, count, { ...attributes, reason })
      }
    },
    [open, waiting, generation, retired, replaced],
  )
}

function endpoint({ hostname, port }: EndpointEvent): Attributes {
  return { 'server.address': hostname, 'server.port': port }
}

function on<Event>(channel: string, listener: (event: Event) => void): void {
  subscribe(channel, (event) => listener(event as Event))
}
