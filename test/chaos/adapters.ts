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

/** Every adapter on the latest version of its driver. */
export const ADAPTERS: readonly AdapterHarness[] = [
  mysql2Harness('mysql2 latest', mysql, true),
  ...KNEX.slice(-1).map(knexHarness),
  ...TYPEORM.slice(-1).map(typeormHarness),
  ...PRISMA.slice(0, 1).map(({ generator, Client }) => prismaHarness(`Prisma (${generator})`, Client)),
]

/** Every adapter on the oldest version that is supported. */
export const ON_OLDEST: readonly AdapterHarness[] = [
  mysql2Harness('mysql2 3.15.3', mysql315 as unknown as Mysql2Promise, false),
  ...KNEX.slice(0, 1).map(knexHarness),
  ...TYPEORM.slice(0, 1).map(typeormHarness),
]
