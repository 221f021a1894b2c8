import { createServer, connect as dial, type Server } from 'node:net'
import { auroraIam } from '@aurora-iam/prisma'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MariaDb, startMariaDb } from '../../packages/local/src/database/mariadb.ts'
import { PrismaClient } from './generated/esm/client.ts'

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

describe('enabled: false', () => {
  test('logs in by password, through the same call, given as options or in a url', async () => {
    const { user, password } = database.account('app')
    const url = `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/app`
    for (const options of [{ host: '127.0.0.1', port, user, password, database: 'app' }, { url }]) {
      const { adapter, extension } = auroraIam(options, { enabled: false })
      const prisma = new PrismaClient({ adapter }).$extends(extension())
      const rows = await prisma.$queryRaw`SELECT CURRENT_USER() AS user, DATABASE() AS db`
      expect(rows).toEqual([{ user: expect.stringMatching(/^app@/), db: 'app' }])
      expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 1, tokensSigned: 0 })
      await prisma.$disconnect()
    }
  })

  test('a wrong password is P1000', async () => {
    const options = { host: '127.0.0.1', port, user: 'app', password: 'wrong', database: 'app' }
    const { adapter, status } = auroraIam(options, { enabled: false })
    expect(await rejectionOf(new PrismaClient({ adapter }).$connect())).toMatchObject({ code: 'P1000' })
    expect(status()).toMatchObject({ connectionsFailed: 1, lastError: { code: 'ER_ACCESS_DENIED_ERROR' } })
  })
})
