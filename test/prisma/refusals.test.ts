import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { auroraIam } from '@aurora-iam/prisma'
import { afterEach, describe, expect, test, vi } from 'vitest'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const PLACE = { host: HOST, user: 'app', database: 'app' }

describe('an adapter before 7.10, which would take the pool for options and dial localhost', () => {
  afterEach(() => {
    vi.doUnmock('@prisma/adapter-mariadb')
    vi.resetModules()
  })

  test('an adapter before 7.10: refused by name, before anything is opened', async () => {
    vi.doMock('@prisma/adapter-mariadb', () => import('@prisma/adapter-mariadb-7.9'))
    vi.resetModules()
    const ours = await import('@aurora-iam/prisma')
    const { adapter, status } = ours.auroraIam(PLACE)
    await expect(adapter.connect()).rejects.toMatchObject({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option: '@prisma/adapter-mariadb',
      message: expect.stringContaining('7.10'),
    })
    expect(status()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0 })
  })
})

describe('a schema of another database', () => {
  const require = createRequire(import.meta.url)
  const generated = new URL('generated/cjs/index.js', import.meta.url)
  const postgresql = new URL('generated/cjs/postgresql.js', import.meta.url)

  afterEach(() => rm(postgresql, { force: true }))

  test('a schema of another database: Prisma refuses it with the name of the adapter when the client is created', async () => {
    const code = await readFile(generated, 'utf8')
    await writeFile(postgresql, code.replace('"activeProvider": "mysql"', '"activeProvider": "postgresql"'))
    const { PrismaClient } = require(postgresql.pathname)
    const { adapter } = auroraIam(PLACE)
    expect(() => new PrismaClient({ adapter })).toThrow(
      /`@aurora-iam\/prisma`, based on `mysql`, is not compatible/,
    )
  })
})
