// What a service sees of its IAM logins in OpenTelemetry: where they belong, how long they took, and why they failed.
import { startLocalAurora } from '@aurora-iam/local'
import { createAuroraIam, managedPool, withAuroraIam } from '@aurora-iam/mysql2'
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
import { instrumentAuroraIam, observePools } from './instrument.ts'

// Your service sets up its SDK with an OTLP exporter here; this one keeps everything in memory, to print it.
const spans = new InMemorySpanExporter()
const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
context.setGlobalContextManager(new AsyncLocalStorageContextManager())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: measured })] })
metrics.setGlobalMeterProvider(meters)

// The line that matters, and `observePools` below:
instrumentAuroraIam()

await using aurora = await startLocalAurora()
const { host, port, database } = aurora
const iam = createAuroraIam(aurora.iam)
const pool = managedPool(mysql.createPool(withAuroraIam({ host, port, user: 'app', database }, iam)))
observePools(iam)

await trace.getTracer('shop').startActiveSpan('GET /orders', async (request) => {
  await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 2')])
  request.end()
})

// The answer of a writer to a change after a failover: the pool replaces its connections.
await pool
  .query(
    `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
       MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`,
  )
  .catch(() => {})
await pool.query('SELECT 3')

aurora.faults.set({ refuse: 'NotAuthorized' })
await trace.getTracer('shop').startActiveSpan('GET /invoices', async (request) => {
  const refused = mysql.createConnection(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))
  await refused.catch(() => {})
  request.end()
})
await meters.forceFlush()
await pool.end()

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
  const totals = new Map<string, number>()
  for (const { attributes, value } of dataPoints) {
    const name = 'reason' in attributes ? `${descriptor.name} (${attributes.reason})` : descriptor.name
    totals.set(name, (totals.get(name) ?? 0) + (typeof value === 'number' ? value : value.count))
  }
  for (const [name, total] of totals) console.log(`${name}: ${total}`)
}
await meters.shutdown()
