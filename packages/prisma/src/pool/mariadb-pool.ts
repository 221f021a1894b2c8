import { EventEmitter } from 'node:events'
import { AuroraIamError } from '@aurora-iam/core/adapter'
import type { Connection, Pool, PoolConnection, QueryOptions } from 'mariadb'
import { outsideTransaction } from '../errors.ts'
import { borrowedConnection } from './borrowed-connection.ts'
import type { ConnectionPool } from './connection-pool.ts'

/**
 * {@link ConnectionPool} with the interface of a `mariadb.Pool`. It has the whole interface, because a later release of
 * the stock adapter may use more of it.
 */
export class MariaDbPool extends EventEmitter implements Pool {
  readonly #pool: ConnectionPool
  readonly #known = new WeakSet<object>()
  #latest: Connection | undefined
  /** Error of the last query; undefined if it succeeded. The stock adapter ignores the error of its first query. */
  queryFailure: Error | undefined

  constructor(pool: ConnectionPool) {
    super()
    this.#pool = pool
    // Before 7.10 the adapter reads a pool as connection options, finds none, and would connect to localhost.
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
    return borrowedConnection(pooled.connection, {
      release: async () => {
        await this.#pool.release(pooled)
        this.emit('release', pooled.connection)
      },
      rollBack: () => pooled.rollBack(),
      onLost: () => {
        pooled.markBroken()
        this.#pool.connectionLost()
      },
      onError: (error) => this.#pool.statementFailed(pooled, error),
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

  // Escaping depends on the server's settings, which a connection keeps after it is closed.
  #anyConnection(): Connection {
    if (this.#latest) return this.#latest
    throw new Error('escape: the character set is not known before the first connection. Connect first.')
  }
}

function refuseOlderAdapter(): never {
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    '@prisma/adapter-mariadb: this release does not take a pool. Update it to 7.10 or later (npm install @prisma/adapter-mariadb@^7.10).',
    { option: '@prisma/adapter-mariadb' },
  )
}
