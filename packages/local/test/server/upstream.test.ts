import { startLocalAurora } from '@aurora-iam/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MariaDb, startMariaDb } from '../../src/database/mariadb.ts'
import { connectWith, logIn, tokenFor } from '../fixtures/client.ts'

let database: MariaDb

beforeAll(async () => {
  database = await startMariaDb({ database: 'shop', users: ['owner'] })
})
afterAll(() => database.close())

const urlFor = (password: string) =>
  `mysql://owner:${password}@localhost/shop?socketPath=${encodeURIComponent(database.socketPath)}`

test('all users share the account of a database that runs already', async () => {
  const backend = urlFor(database.account('owner').password)
  await using aurora = await startLocalAurora({ backend, users: ['app', 'reader'] })
  for (const username of ['app', 'reader']) {
    const token = await tokenFor(aurora, { username })
    const connection = await connectWith(aurora, token, { user: username, database: aurora.database })
    const [rows] = await connection.query('SELECT CURRENT_USER() AS user, DATABASE() AS name')
    expect(rows).toEqual([{ user: 'owner@%', name: 'shop' }])
    await connection.end()
  }
})

test('a client is not told that the account behind is refused, the log is', async () => {
  await using aurora = await startLocalAurora({ backend: urlFor('wrong') })
  await expect(logIn(aurora)).rejects.toMatchObject({
    errno: 1045,
    message: "Access denied for user 'app'@'127.0.0.1' (using password: YES)",
  })
  expect(aurora.log.refusals).toMatchObject([{ reason: 'InternalError' }])
})

test('when the database behind is gone, clients are told so and keep their tokens', async () => {
  const gone = await startMariaDb({ database: 'shop', users: ['owner'] })
  const backend = `mysql://owner@localhost/shop?socketPath=${encodeURIComponent(gone.socketPath)}`
  await using aurora = await startLocalAurora({ backend })
  await gone.close()
  await expect(logIn(aurora)).rejects.toMatchObject({ errno: 1105, message: 'Unknown error' })
  expect(aurora.log.tokensReceived).toBe(0)
})
