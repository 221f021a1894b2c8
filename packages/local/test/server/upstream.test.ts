import { inspect } from 'node:util'
import { startLocalAurora } from '@aurora-iam/local'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MariaDb, startMariaDb } from '../../src/database/mariadb.ts'
import { connectWith, logIn, tokenFor } from '../fixtures/client.ts'

let database: MariaDb

beforeAll(async () => {
  database = await startMariaDb({ database: 'shop', users: ['owner'] })
})
afterAll(() => database.close())

const urlFor = ({ socketPath, admin }: MariaDb, password = admin.password) =>
  `mysql://${admin.user}:${password}@localhost/shop?socketPath=${encodeURIComponent(socketPath)}`

test('a database that runs already: sessions run as the IAM user', async () => {
  await using aurora = await startLocalAurora({ backend: urlFor(database), users: ['app', 'reader'] })
  for (const username of ['app', 'reader']) {
    const token = await tokenFor(aurora, { username })
    const connection = await connectWith(aurora, token, { user: username, database: aurora.database })
    const [rows] = await connection.query('SELECT CURRENT_USER() AS user, DATABASE() AS name')
    expect(rows).toEqual([{ user: `${username}@%`, name: 'shop' }])
    await connection.end()
  }
})

test('an account that the database rejects: no start, and no secret in the error', async () => {
  const failure = await startLocalAurora({ backend: urlFor(database, 'wr0ng') }).catch((error) => error)
  expect(failure).toMatchObject({
    code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
    message: expect.stringMatching(/^backend: the account in the URL cannot log in \(Access denied/),
  })
  expect(inspect(failure, { depth: null })).not.toContain('wr0ng')
})

test('the database is gone: the connection breaks, as at an Aurora that restarts, and no token leaves', async () => {
  const gone = await startMariaDb({ database: 'shop', users: ['owner'] })
  await using aurora = await startLocalAurora({ backend: urlFor(gone) })
  await gone.close()
  await expect(logIn(aurora)).rejects.toMatchObject({
    code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/),
  })
  expect([...aurora.log].at(-1)).toMatchObject({ by: 'server', detail: 'the database does not answer' })
  expect(aurora.log.tokensReceived).toBe(0)
})

test('the database closes a connection before its token arrives: the client is disconnected, and not denied', async () => {
  await using aurora = await startLocalAurora({ backend: urlFor(database), users: ['app'] })
  const { socketPath, admin } = database
  const owner = await createConnection({ socketPath, ...admin })
  const token = await tokenFor(aurora)
  const attempt = connectWith(aurora, '', {
    authPlugins: {
      mysql_clear_password: () => async () => {
        const [rows] = await owner.query<RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE user = 'unauthenticated user'",
        )
        for (const { id } of rows) await owner.query('KILL ?', [id])
        return Buffer.from(`${token}\0`)
      },
    },
  })
  await expect(attempt).rejects.toMatchObject({
    code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/),
  })
  expect(aurora.log.refusals).toEqual([])
  expect([...aurora.log].at(-1)).toMatchObject({ by: 'server', detail: 'the database does not answer' })
  await owner.end()
})
