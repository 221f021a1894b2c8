import type { LocalAurora } from '@aurora-iam/local'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { DataSource as DataSource03 } from 'typeorm-0.3'

/** One version of TypeORM. */
export interface TypeormVersion {
  readonly name: string
  readonly open: (options: DataSourceOptions) => DataSource
}

/** The last 0.3, and the latest. */
export const VERSIONS: readonly TypeormVersion[] = [
  { name: 'TypeORM 0.3', open: (options) => new DataSource03(options as never) as unknown as DataSource },
  { name: 'TypeORM latest', open: (options) => new DataSource(options) },
]

/** TypeORM's options that lead to `aurora`. */
export function addressOf(aurora: LocalAurora, username = 'app') {
  return {
    type: 'mysql' as const,
    host: aurora.host,
    port: aurora.port,
    database: aurora.database,
    username,
  }
}
