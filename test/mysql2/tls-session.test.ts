import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import mysql from 'mysql2/promise'
import { expect, test } from 'vitest'
import { addressOf } from './support.ts'

const aurora = await localAurora()

async function connectOnce(iam = createAuroraIam({ ...aurora.iam, rateLimit: false }), options = {}) {
  const connection = await mysql.createConnection(withAuroraIam({ ...addressOf(aurora), ...options }, iam))
  await connection.query('SELECT 1')
  await connection.end()
}

test('the second connection: it resumes the TLS session of the first', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
  await connectOnce(iam)
  await connectOnce(iam)
  const tls = [...aurora.log].filter((event) => event.type === 'tls')
  expect(tls).toMatchObject([{ resumed: false }, { resumed: true }])
  expect(aurora.log.logins).toHaveLength(2)
})

test('a cached session and a server that cannot prove its name: the login fails', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
  await connectOnce(iam)
  for (const certificate of ['wrong-name', 'other-ca'] as const) {
    aurora.faults.set({ certificate })
    await expect(connectOnce(iam), certificate).rejects.toThrow()
  }
  expect(aurora.log.tokensReceived).toBe(1)
})
