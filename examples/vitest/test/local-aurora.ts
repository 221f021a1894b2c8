import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import mysql, { type Pool } from 'mysql2/promise'
import { test as base } from 'vitest'

/** A test with a Local Aurora, which a file starts once, and a separate pool for each test. */
export const test = base.extend<{ aurora: LocalAurora; pool: Pool }>({
  aurora: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads which fixtures a fixture needs from the pattern.
    async ({}, use) => {
      await using aurora = await startLocalAurora({ throttle: false })
      await use(aurora)
    },
    { scope: 'file' },
  ],
  pool: async ({ aurora }, use) => {
    const { host, port, database } = aurora
    const pool = mysql.createPool(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))
    await use(pool)
    await pool.end()
    aurora.setClock(Date.now)
    aurora.faults.clear()
    aurora.log.clear()
  },
})
