import mysql from 'mysql2/promise'
import type { AdapterHarness } from '../conformance/harness.ts'
import { knexHarness } from '../knex/harness.ts'
import { VERSIONS as KNEX_VERSIONS } from '../knex/support.ts'
import { mysql2Harness } from '../mysql2/harness.ts'
import { typeormHarness } from '../typeorm/harness.ts'
import { VERSIONS as TYPEORM_VERSIONS } from '../typeorm/support.ts'

/** Every adapter, in the latest version of what it adapts to. */
export const HARNESSES: readonly AdapterHarness[] = [
  mysql2Harness('mysql2', mysql, true),
  ...KNEX_VERSIONS.slice(-1).map(({ makeKnex }) => knexHarness('Knex', makeKnex)),
  ...TYPEORM_VERSIONS.slice(-1).map((version) => typeormHarness({ ...version, name: 'TypeORM' })),
]
