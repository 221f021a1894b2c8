import { expect } from 'vitest'
import { test } from './local-aurora.ts'

test('a new order: it is stored', async ({ pool }) => {
  await pool.query('CREATE TABLE orders (id INT PRIMARY KEY)')
  await pool.query('INSERT INTO orders VALUES (1)')
  expect((await pool.query('SELECT id FROM orders'))[0]).toEqual([{ id: 1 }])
})

test('twenty minutes later: the next connection has another token', async ({ aurora, pool }) => {
  await pool.query('SELECT 1')
  aurora.setClock(Date.now() + 20 * 60_000)
  aurora.faults.dropConnections()
  const query = () => pool.query('SELECT 1')
  await query().catch(query)
  expect(aurora.log.fingerprints).toHaveLength(2)
  expect(aurora.log.refusals).toEqual([])
})

test('a role that may not log in: its error reaches the service', async ({ aurora, pool }) => {
  aurora.faults.set({ refuse: 'NotAuthorized' })
  await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' })
})
