import { describe, expect, test } from 'vitest'
import type { Client, Suite } from './harness.ts'

/** Tests a pool through a failover. */
export function failover({ aurora, connect }: Suite): void {
  describe('failover', () => {
    test('a restart: open connections break, and the pool recovers automatically', async () => {
      const client = await connect()
      await client.query('SELECT 1')
      await aurora().restart()
      await answersAgain(client)
      expect(aurora().log.refusals).toHaveLength(0)
    })

    test('a writer endpoint that leads to a reader: with requireWriter no connection to it is kept', async () => {
      const iam = { ...aurora().iam, rateLimit: { limit: 1_000 }, requireWriter: true }
      const client = await connect({}, iam)
      await client.query('SELECT 1')
      await aurora().restart({ readOnly: true })
      let code: string | undefined
      do {
        code = await client.query('SELECT 1').then(
          () => 'answered',
          (error: { code?: string }) => error.code,
        )
        expect(code).not.toBe('answered')
      } while (code !== 'ERR_AURORA_IAM_NOT_A_WRITER')
      while (aurora().openConnections > 0) await pause()
      await aurora().restart()
      await answersAgain(client)
    })
  })
}

async function answersAgain(client: Client): Promise<void> {
  for (;;) {
    const rows = await client.query('SELECT 1 AS one').catch(() => undefined)
    if (rows) return expect(rows).toEqual([{ one: 1 }])
    await pause()
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
