import mysql from 'mysql2/promise'
import mysql315 from 'mysql2-3.15/promise'
import type { AdapterHarness } from '../conformance/harness.ts'
import { knexHarness } from '../knex/harness.ts'
import { VERSIONS as KNEX } from '../knex/support.ts'
import { type Mysql2Promise, mysql2Harness } from '../mysql2/harness.ts'
import { prismaHarness } from '../prisma/harness.ts'
import { CLIENTS as PRISMA } from '../prisma/support.ts'
import { typeormHarness } from '../typeorm/harness.ts'
import { VERSIONS as TYPEORM } from '../typeorm/support.ts'

export const MYSQL2_LATEST: AdapterHarness = mysql2Harness('mysql2 latest', mysql, true)
/** The oldest that is supported. */
export const MYSQL2_OLDEST: AdapterHarness = mysql2Harness(
  'mysql2 3.15.3',
  mysql315 as unknown as Mysql2Promise,
  false,
)

/** Adapters that are built on mysql2, each in its latest version. */
export const OVER_MYSQL2: readonly AdapterHarness[] = [
  ...KNEX.slice(-1).map(knexHarness),
  ...TYPEORM.slice(-1).map(typeormHarness),
]

/** Prisma, on the mariadb driver. */
export const ON_MARIADB: AdapterHarness = prismaHarness(`Prisma (${PRISMA[0].generator})`, PRISMA[0].Client)

/** Every adapter on the latest version of its driver. */
export const ADAPTERS: readonly AdapterHarness[] = [MYSQL2_LATEST, ...OVER_MYSQL2, ON_MARIADB]

/** Every adapter on the oldest version that is supported. */
export const ON_OLDEST: readonly AdapterHarness[] = [
  MYSQL2_OLDEST,
  ...KNEX.slice(0, 1).map(knexHarness),
  ...TYPEORM.slice(0, 1).map(typeormHarness),
]
