import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createPool } from 'mysql2/promise'
import { expect, test } from 'vitest'

test('an expired token: replaced', { timeout: 60_000 }, async () => {
  await using aurora = await startLocalAurora()
  const { host, port, database } = aurora
  const pool = createPool(withAuroraIam({ host, port, database, user: 'app' }, aurora.iam))
  await pool.query('SELECT 1')

  aurora.setClock(Date.now() + 20 * 60_000)
  aurora.faults.dropConnections()
  const retry = () => pool.query('SELECT 1')
  await retry().catch(retry)

  expect(aurora.log.fingerprints).toHaveLength(2)
  expect(aurora.log.refusals).toEqual([])
  await pool.end()
})
