import type { LocalAurora } from '@aurora-iam/local'
import { DataSource, type DataSourceOptions, EntitySchema } from 'typeorm'
import { DataSource as DataSource03, EntitySchema as EntitySchema03 } from 'typeorm-0.3'

/** One version of TypeORM. */
export interface TypeormVersion {
  readonly name: string
  /** Its module's name here. */
  readonly module: string
  readonly open: (options: DataSourceOptions) => DataSource
  /** An entity for the tests. */
  readonly Account: EntitySchema<Account>
}

export interface Account {
  owner: string
  balance: number
}

const account = {
  name: 'account',
  columns: {
    owner: { type: 'varchar', length: 40, primary: true },
    balance: { type: 'int' },
  },
} as const

/** The last 0.3, and the latest. */
export const VERSIONS: readonly TypeormVersion[] = [
  {
    name: 'TypeORM 0.3',
    module: 'typeorm-0.3',
    open: (options) => new DataSource03(options as never) as unknown as DataSource,
    Account: new EntitySchema03<Account>(account) as unknown as EntitySchema<Account>,
  },
  {
    name: 'TypeORM latest',
    module: 'typeorm',
    open: (options) => new DataSource(options),
    Account: new EntitySchema<Account>(account),
  },
]

/** Returns TypeORM's options for `aurora`. */
export function addressOf(aurora: LocalAurora, username = 'app') {
  return {
    type: 'mysql' as const,
    host: aurora.host,
    port: aurora.port,
    database: aurora.database,
    username,
  }
}
