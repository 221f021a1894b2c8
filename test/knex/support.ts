import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/knex'
import type { LocalAurora } from '@aurora-iam/local'
import knex, { type Knex } from 'knex'
import knex30 from 'knex-3.0'
import { afterEach } from 'vitest'

/** The function that both versions export. */
export type MakeKnex = typeof knex

/** One version of Knex. */
export interface KnexVersion {
  readonly name: string
  readonly makeKnex: MakeKnex
  /** Its client for mysql2, by a name that leads the adapter to it, or as a class. */
  readonly client: 'mysql2' | typeof Knex.Client
}

/** The oldest that is supported, and the latest. */
export const VERSIONS: readonly KnexVersion[] = [
  {
    name: 'Knex 3.0.1',
    makeKnex: knex30 as unknown as MakeKnex,
    client: knex30({ client: 'mysql2' }).client.constructor,
  },
  { name: 'Knex latest', makeKnex: knex, client: 'mysql2' },
]

/** Knex prints each connection that failed, and hands the error to the caller as well. */
const log: Knex.Logger = { warn: () => {} }

/** Returns Knex's `connection` for `aurora`. */
export function connectionTo(aurora: LocalAurora) {
  return { host: aurora.host, port: aurora.port, database: aurora.database, user: 'app' }
}

/** Makes Knex instances on IAM that are destroyed after each test. */
export function opener(aurora: () => LocalAurora) {
  const opened: Knex[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.destroy()))
  })
  return (makeKnex: MakeKnex, iam: AuroraIam | AuroraIamOptions, config: Knex.Config = {}): Knex => {
    const connection = connectionTo(aurora())
    const db = makeKnex(
      withAuroraIam({ client: 'mysql2', connection, log, ...config, pool: { min: 0, ...config.pool } }, iam),
    )
    opened.push(db)
    return db
  }
}

/** Returns how many of `results` were fulfilled. */
export function fulfilled(results: ReadonlyArray<PromiseSettledResult<unknown>>): number {
  return results.filter(({ status }) => status === 'fulfilled').length
}
