// What a service sees of its IAM logins in OpenTelemetry: where they belong, how long they took, and why they failed.
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import mysql from 'mysql2/promise'
import { instrumentAuroraIam } from './instrument.ts'

// Your service sets up its SDK with an OTLP exporter here; this one keeps everything in memory, to print it.
const spans = new InMemorySpanExporter()
const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
context.setGlobalContextManager(new AsyncLocalStorageContextManager())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: measured })] })
metrics.setGlobalMeterProvider(meters)

// The line that matters:
instrumentAuroraIam()

await using aurora = await startLocalAurora()
const { host, port, database } = aurora
const pool = mysql.createPool(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))

await trace.getTracer('shop').startActiveSpan('GET /orders', async (request) => {
  await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 2')])
  request.end()
})

aurora.faults.set({ refuse: 'NotAuthorized' })
await trace.getTracer('shop').startActiveSpan('GET /invoices', async (request) => {
  const refused = mysql.createConnection(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))
  await refused.catch(() => {})
  request.end()
})
await pool.end()
await meters.forceFlush()

const all = spans.getFinishedSpans()
for (const request of all.filter((span) => !span.parentSpanContext)) {
  console.log(request.name)
  for (const span of all) {
    if (span.parentSpanContext?.spanId !== request.spanContext().spanId) continue
    const error = span.attributes['error.type']
    console.log(`  ${span.name}${error ? `: ${error}` : ''}`)
  }
}
for (const { descriptor, dataPoints } of measured.getMetrics().at(-1)?.scopeMetrics[0]?.metrics ?? []) {
  const total = dataPoints.reduce(
    (sum, { value }) => sum + (typeof value === 'number' ? value : value.count),
    0,
  )
  console.log(`${descriptor.name}: ${total}`)
}
await meters.shutdown()
