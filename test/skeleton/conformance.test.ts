import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
import { describeAdapter } from '../conformance/index.ts'
import { SkeletonPool, type SkeletonSettings, withAuroraIam } from './skeleton.ts'

const harness: AdapterHarness = {
  name: 'the skeleton of an adapter',
  // mariadb 3.5.4 throws at a TLS cut. The Prisma adapter keeps that from it (packages/prisma/src/connect).
  capabilities: { connectsWhenOpened: false, keepsErrors: true, retriesLogins: true, throwsAtTlsCut: true },
  errors: { refused: { errno: 1045 }, silent: { code: 'ER_CONNECTION_TIMEOUT' } },
  options: withAuroraIam,
  open: (settings) => clientOf(new SkeletonPool(settings as SkeletonSettings)),
  exitProgram: new URL('../fixtures/exit/skeleton.mjs', import.meta.url),
}

describeAdapter(harness)

test('the skeleton: has less than 100 lines', async () => {
  const source = await readFile(new URL('skeleton.ts', import.meta.url), 'utf8')
  expect(source.split('\n').length).toBeLessThan(100)
})

function clientOf(pool: SkeletonPool): Client {
  const hold = async () => {
    const connection = await pool.acquire()
    return {
      query: (sql: string) => connection.query(sql),
      release: () => pool.release(connection),
    }
  }
  return {
    raw: pool,
    hold,
    query: async (sql) => {
      const held = await hold()
      try {
        return await held.query(sql)
      } finally {
        held.release()
      }
    },
    close: async () => {
      await pool.end()
    },
  }
}
