import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import type { SqlDriverAdapter, SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import type { AuroraIamPrismaOptions } from './options/options.ts'
import { ConnectionPool, type PoolContext } from './pool/connection-pool.ts'
import { MariaDbPool } from './pool/mariadb-pool.ts'

/** Options that are passed on to the stock adapter. */
export type AdapterSettings = Pick<AuroraIamPrismaOptions, 'database' | 'useTextProtocol'>

/**
 * Factory of Prisma's own adapter for MySQL, on a new pool each time Prisma connects, so that a client can be used
 * again after `$disconnect`.
 */
export class AuroraIamAdapterFactory implements SqlDriverAdapterFactory {
  readonly provider = 'mysql'
  readonly adapterName = '@aurora-iam/prisma'
  readonly #context: PoolContext
  readonly #settings: AdapterSettings

  constructor(context: PoolContext, settings: AdapterSettings) {
    this.#context = context
    this.#settings = settings
  }

  /**
   * Opens a pool and returns the stock adapter on it.
   *
   * @throws the error of the first query, such as a `PrismaDriverError`
   */
  async connect(): Promise<SqlDriverAdapter> {
    const pool = new MariaDbPool(new ConnectionPool(this.#context))
    try {
      // The adapter's types are those of the mariadb release that it depends on.
      const driverPool = pool as unknown as ConstructorParameters<typeof PrismaMariaDb>[0]
      const { database, useTextProtocol } = this.#settings
      const adapter = await new PrismaMariaDb(driverPool, {
        database,
        useTextProtocol,
        disposeExternalPool: true,
      }).connect()
      // `connect` queries the version and ignores its error: https://github.com/prisma/orm/issues/28612
      if (pool.queryFailure) throw pool.queryFailure
      return adapter
    } catch (error) {
      await pool.end()
      throw error
    }
  }
}
