import type { DataSourceOptions } from 'typeorm'

/**
 * TypeORM's options for MySQL and MariaDB. TypeORM does not export their type, whose name differs between 0.3 and 1.x.
 */
// An interface, because a compiler that emits declarations names it. In place of an alias TypeScript 5.4 would name the
// file in TypeORM, which a program under pnpm cannot import (TS2742).
export interface MysqlDataSourceOptions extends Extract<DataSourceOptions, { type: 'mysql' | 'mariadb' }> {}

/** Writer and readers, each with a separate address and user. */
export type Replication = NonNullable<MysqlDataSourceOptions['replication']>

/** Address of one database and the user: part of the options, or one node of {@link Replication}. */
export type NodeOptions = Replication['master']

/**
 * Options of Nest's `TypeOrmModule.forRoot` for MySQL and MariaDB. They declare no `type`, so that they fit the module
 * and not `new DataSource`, which does not know Nest's own options. With `exactOptionalPropertyTypes` an optional
 * `type` would fit both.
 */
export interface NestMysqlOptions extends Partial<Omit<MysqlDataSourceOptions, 'name' | 'type'>> {
  /** Name of the DataSource in Nest's container. */
  readonly name?: string
  /** Number of attempts of Nest to connect. */
  readonly retryAttempts?: number
  /** Pause between two of Nest's attempts, in milliseconds. */
  readonly retryDelay?: number
  /** Decides whether Nest tries again after an error. */
  // biome-ignore lint/suspicious/noExplicitAny: Nest's type.
  readonly toRetry?: (error: any) => boolean
  /** True if Nest adds the entities of all modules. */
  readonly autoLoadEntities?: boolean
  /** True if Nest logs the whole error of each attempt. */
  readonly verboseRetryLog?: boolean
  /** True if the program calls `initialize()`, and not Nest. */
  readonly manualInitialization?: boolean
}
