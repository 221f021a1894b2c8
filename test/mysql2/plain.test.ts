import { createServer, connect as dial, type Server } from 'node:net'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MariaDb, startMariaDb } from '../../packages/local/src/database/mariadb.ts'
import { VERSIONS } from './support.ts'

let database: MariaDb
let port: number
let door: Server

// The private MariaDB listens on a Unix socket only; the options are to be those of a database with a host and a port.
beforeAll(async () => {
  database = await startMariaDb({ database: 'app', users: ['app'] })
  door = createServer((client) => {
    const behind = dial(database.socketPath)
    client.pipe(behind).pipe(client)
    for (const socket of [client, behind]) {
      socket.on('error', () => {
        client.destroy()
        behind.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  port = (door.address() as { port: number }).port
})

afterAll(async () => {
  door.close()
  await database.close()
})

describe.each(VERSIONS)('enabled: false with $name', ({ promises }) => {
  test('logs in by password, through the same call', async () => {
    const { user, password } = database.account('app')
    const pool = promises.createPool(
      withAuroraIam({ host: '127.0.0.1', port, user, password, database: 'app' }, { enabled: false }),
    )
    const [rows] = await pool.query('SELECT CURRENT_USER() AS user')
    expect(rows).toEqual([{ user: expect.stringMatching(/^app@/) }])
    await pool.end()
  })

  test('a wrong password is refused by the server, in its own words', async () => {
    const options = { host: '127.0.0.1', port, user: 'app', password: 'wrong', database: 'app' }
    const connecting = promises.createConnection(withAuroraIam(options, { enabled: false }))
    await expect(connecting).rejects.toMatchObject({ errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })
  })
})
