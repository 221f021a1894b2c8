import { auroraIam } from '@aurora-iam/prisma'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { passwordUser } from '@aurora-iam/test-support/password-user'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { PrismaClient } from './generated/esm/client.ts'

const aurora = await localAurora()
const given = await passwordUser(aurora)

describe('enabled: false', () => {
  test('the same call, with options or a url: it logs in by password', async () => {
    const { host, port, user, password, database, ssl } = given
    const url = `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`
    for (const options of [given, { url, ssl }]) {
      const { adapter, extension } = auroraIam(options, { enabled: false })
      const prisma = new PrismaClient({ adapter }).$extends(extension())
      const rows = await prisma.$queryRaw`SELECT CURRENT_USER() AS user, DATABASE() AS db`
      expect(rows).toEqual([{ user: expect.stringMatching(/^legacy@/), db: 'app' }])
      expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 1, tokensSigned: 0 })
      await prisma.$disconnect()
    }
  })

  test('ssl: null, as a configuration file writes for "none": no TLS, as without ssl', async () => {
    for (const ssl of [null, undefined]) {
      const { adapter } = auroraIam({ ...given, ssl: ssl as never }, { enabled: false })
      const prisma = new PrismaClient({ adapter })
      // With TLS the client would refuse the certificate of Local Aurora first.
      expect(await rejectionOf(prisma.$queryRaw`SELECT 1`)).toMatchObject({
        message: expect.stringContaining('no: 3159'),
      })
      await prisma.$disconnect()
    }
  })

  test('a wrong password: P1000', async () => {
    const { adapter, status } = auroraIam({ ...given, password: 'wrong' }, { enabled: false })
    expect(await rejectionOf(new PrismaClient({ adapter }).$connect())).toMatchObject({ code: 'P1000' })
    expect(status()).toMatchObject({ connectionsFailed: 1, lastError: { code: 'ER_ACCESS_DENIED_ERROR' } })
  })
})
