import { EventEmitter } from 'node:events'
import { AuroraIamError } from '@aurora-iam/core'
import type { Connection, Pool, PoolConnection, QueryOptions } from 'mariadb'
import { outsideTransaction } from '../errors.ts'
import { lend } from './borrowed-connection.ts'
import type { ConnectionPool } from './connection-pool.ts'

/**
 * {@link ConnectionPool} with the face of a `mariadb.Pool`: all of it, so that no release of the stock adapter finds
 * something missing.
 */
export class DriverPool extends EventEmitter implements Pool {
  readonly #pool: ConnectionPool
  readonly #known = new WeakSet<object>()
  #latest: Connection | undefined
  /** Why the last query failed; undefined if it did not. The stock adapter keeps that of its first query to itself. */
  queryFailure: Error | undefined

  constructor(pool: ConnectionPool) {
    super()
    this.#pool = pool
    // Before 7.10 the adapter takes a pool for connection options, finds none, and would connect to localhost.
    Object.defineProperty(this, 'host', { enumerable: true, get: refuseOlderAdapter })
  }

  get closed(): boolean {
    return this.#pool.isClosed
  }

  async getConnection(): Promise<PoolConnection> {
    if (this.#pool.idle === 0) this.emit('enqueue')
    const pooled = await this.#pool.acquire()
    if (!this.#known.has(pooled)) this.emit('connection', pooled.connection)
    this.#known.add(pooled)
    this.#latest = pooled.connection
    this.emit('acquire', pooled.connection)
    return lend(pooled.connection, {
      release: async () => {
        await this.#pool.release(pooled)
        this.emit('release', pooled.connection)
      },
      rollBack: () => pooled.rollBack(),
      onLost: () => {
        pooled.markBroken()
        this.#pool.connectionLost()
      },
    })
  }

  query<T>(sql: string | QueryOptions, values?: unknown): Promise<T> {
    return this.#run((connection) => connection.query<T>(sql, values))
  }

  execute<T>(sql: string | QueryOptions, values?: unknown): Promise<T> {
    return this.#run((connection) => connection.execute<T>(sql, values))
  }

  batch<T>(sql: string | QueryOptions, values?: unknown): Promise<T> {
    return this.#run((connection) => connection.batch<T>(sql, values))
  }

  importFile(config: Parameters<Connection['importFile']>[0]): Promise<void> {
    return this.#run((connection) => connection.importFile(config))
  }

  end(): Promise<void> {
    return this.#pool.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  activeConnections(): number {
    return this.#pool.active
  }

  idleConnections(): number {
    return this.#pool.idle
  }

  totalConnections(): number {
    return this.#pool.active + this.#pool.idle
  }

  taskQueueSize(): number {
    return this.#pool.queued
  }

  escape(value: unknown): string {
    return this.#anyConnection().escape(value)
  }

  escapeId(identifier: string): string {
    return this.#anyConnection().escapeId(identifier)
  }

  async #run<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      const connection = await this.getConnection()
      const result = await work(connection).finally(() => connection.release())
      this.queryFailure = undefined
      return result
    } catch (error) {
      this.queryFailure = error as Error
      throw outsideTransaction(error as Error)
    }
  }

  // How to escape depends on the server's settings, which a connection knows, open or not.
  #anyConnection(): Connection {
    if (this.#latest) return this.#latest
    throw new Error('Nothing can be escaped before the first connection: its character set is not known yet.')
  }
}

function refuseOlderAdapter(): never {
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    '@prisma/adapter-mariadb: this release does not take a pool. Update it to 7.10 or later (npm install @prisma/adapter-mariadb@^7.10).',
    { option: '@prisma/adapter-mariadb' },
  )
}
