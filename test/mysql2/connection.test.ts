import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { callbackErrorOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()

afterEach(() => vi.restoreAllMocks())

const unlimited = () => ({ ...aurora.iam, rateLimit: false as const })

describe.each(VERSIONS)('connections of $name', ({ callbacks, promises }) => {
  test('the callback API: it connects explicitly and by a first query', async () => {
    const connection = callbacks.createConnection(withAuroraIam(addressOf(aurora), unlimited()))
    expect(await callbackErrorOf((done) => connection.connect(done))).toBeNull()
    const implicit = callbacks.createConnection(withAuroraIam(addressOf(aurora), unlimited()))
    const rows = await new Promise((resolve, reject) => {
      implicit.query('SELECT 1 AS one', (error, result) => (error ? reject(error) : resolve(result)))
    })
    expect(rows).toEqual([{ one: 1 }])
    for (const open of [connection, implicit]) await new Promise((resolve) => open.end(resolve))
  })

  test('the pool of the callback API: it connects', async () => {
    const pool = callbacks.createPool(
      withAuroraIam({ ...addressOf(aurora), connectionLimit: 2 }, unlimited()),
    )
    const [rows] = await pool.promise().query('SELECT 1 AS one')
    expect(rows).toEqual([{ one: 1 }])
    expect(await callbackErrorOf((done) => pool.query('SELECT 1', done))).toBeNull()
    await new Promise((resolve) => pool.end(resolve))
  })

  test('the options that mysql2 is given: it warns of none', async () => {
    const complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')]
    const pool = promises.createPool(withAuroraIam(addressOf(aurora), unlimited()))
    await pool.query('SELECT 1')
    await pool.end()
    const connection = await promises.createConnection(withAuroraIam(addressOf(aurora), unlimited()))
    await connection.end()
    for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled()
  })

  test('other options of mysql2: they keep their effect', async () => {
    const options = { dateStrings: true, namedPlaceholders: true, multipleStatements: true, compress: true }
    const connection = await promises.createConnection(
      withAuroraIam({ ...addressOf(aurora), ...options }, unlimited()),
    )
    const [rows] = await connection.query('SELECT :n AS n; SELECT DATE("2020-02-29") AS day', { n: 7 })
    expect(rows).toEqual([[{ n: 7 }], [{ day: '2020-02-29' }]])
    const [prepared] = await connection.execute('SELECT :word AS word', { word: 'x'.repeat(100_000) })
    expect(prepared).toEqual([{ word: 'x'.repeat(100_000) }])
    await connection.end()
  })
})
