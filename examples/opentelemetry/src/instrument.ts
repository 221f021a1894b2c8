import { subscribe } from 'node:diagnostics_channel'
import type {
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

function endpoint({ hostname, port }: EndpointEvent): Attributes {
  return { 'server.address': hostname, 'server.port': port }
}

function on<Event>(channel: string, listener: (event: Event) => void): void {
  subscribe(channel, (event) => listener(event as Event))
}
