import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createAuroraIam } from '@aurora-iam/core'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import type { Suite } from './harness.ts'

/** Tests that a closed client waits for nothing and keeps no process alive. */
export function lifecycle({ harness, aurora, connect }: Suite): void {
  describe('lifecycle', () => {
    test('after close: the process exits', async () => {
      const { host, port, hostname, region, ca, credentials } = aurora()
      const settings = JSON.stringify({ host, port, hostname, region, ca, credentials })
      const run = promisify(execFile)(process.execPath, [fileURLToPath(harness.exitProgram)], {
        env: { ...process.env, AURORA_SETTINGS: settings },
        timeout: 20_000,
      })
      expect(await run).toEqual({ stdout: 'closed\n', stderr: '' })
    })

    test('close() of the AuroraIam: the waits for a permit end', async () => {
      const iam = createAuroraIam({ ...aurora().iam, rateLimit: 1 })
      const client = await connect({ connectionLimit: 2 }, iam)
      const held = await client.hold()
      const attempt = client.query('SELECT 1')
      await until(() => Object.values(iam.stats().rateLimits)[0]?.waiting === 1)
      iam.close()
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
      expect(await held.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
      await held.release()
    })

    test('a closed AuroraIam: no connection is opened', async () => {
      const iam = createAuroraIam({ ...aurora().iam, rateLimit: false })
      iam.close()
      const attempt = connect({}, iam).then((client) => client.query('SELECT 1'))
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    })

    test('closed connections: the server has none left', async () => {
      const client = await connect({ connectionLimit: 10 })
      const held = await Promise.all(Array.from({ length: 10 }, () => client.hold()))
      for (const connection of held) await connection.release()
      await client.close()
      const numbers = (type: 'connection' | 'closed') =>
        [...aurora().log].filter((event) => event.type === type).map(({ connection }) => connection)
      expect(numbers('connection')).toHaveLength(10)
      await until(() => numbers('connection').every((number) => numbers('closed').includes(number)))
    })
  })
}
