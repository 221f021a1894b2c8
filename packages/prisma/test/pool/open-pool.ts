import type { PoolDriver, PoolLifetime } from '@aurora-iam/core/adapter'
import { type Open, openWithPassword } from '../../src/connect/open-connection.ts'
import type { PoolSettings } from '../../src/options/options.ts'
import { ConnectionPool } from '../../src/pool/connection-pool.ts'
import type { PooledConnection } from '../../src/pool/pooled-connection.ts'
import { Activity } from '../../src/status.ts'
import type { ScriptedServer } from '../scripted-server.ts'

/** Calls of a pool to the lifetime of its connections, in order, with the error of each that has one. */
type LifetimeCall = readonly [name: string, error?: unknown]

/**
 * Opens a pool of two connections to `server`. Each of its connections passes `gate` before it is opened.
 *
 * @param hasLifetime - false for a pool whose connections are not replaced, as with a password
 */
export function openPool(
  server: ScriptedServer,
  settings: Partial<PoolSettings> = {},
  gate: () => Promise<unknown> = async () => {},
  hasLifetime = true,
) {
  const activity = new Activity()
  const open = openWithPassword({
    address: { host: '127.0.0.1', port: server.port },
    config: { user: 'app', password: 'secret' },
    timeoutMs: 5_000,
    observer: activity,
  })
  const signals: AbortSignal[] = []
  const gated: Open = async (signal) => {
    signals.push(signal)
    await gate()
    return open(signal)
  }
  const calls: LifetimeCall[] = []
  let driver: PoolDriver<PooledConnection> | undefined
  const pool = new ConnectionPool({
    open: gated,
    activity,
    lifetimeOf: (own) => {
      driver = own
      return hasLifetime ? recorder(calls) : undefined
    },
    settings: {
      connectionLimit: 2,
      acquireTimeoutMs: 1_000,
      isAcquireTimeoutStrict: true,
      connectTimeoutMs: 800,
      idleTimeoutMs: 60_000,
      ...settings,
    },
  })
  return { pool, activity, signals, calls, driver: driver as unknown as PoolDriver<PooledConnection> }
}

function recorder(calls: LifetimeCall[]): PoolLifetime<PooledConnection> {
  const record =
    (name: string) =>
    (_pooled?: PooledConnection, error?: unknown): void => {
      calls.push(error === undefined ? [name] : [name, error])
    }
  return {
    opened: record('opened'),
    acquired: record('acquired'),
    released: record('released'),
    failed: record('failed'),
    broke: record('broke'),
    closed: record('closed'),
    dispose: record('dispose'),
  } as unknown as PoolLifetime<PooledConnection>
}
