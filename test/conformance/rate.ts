import { createRateLimiter, RateLimitError } from '@aurora-iam/rate-limit'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import type { Suite } from './harness.ts'

/** Tests that every new connection waits for its permit before it opens a socket. */
export function rate({ harness, aurora, connect, address }: Suite): void {
  describe('connection rate', () => {
    test('a permit that is not granted yet: no socket is opened', async () => {
      const gate = await gateLimiter()
      const client = connect({}, { ...aurora().iam, rateLimit: gate.limiter })
      const answer = client.then((opened) => opened.query('SELECT 1 AS one'))
      await until(() => gate.waiting === 1)
      expect(aurora().log.connections).toBe(0)
      gate.grant()
      expect(await answer).toEqual([{ one: 1 }])
      expect(aurora().log.connections).toBe(1)
    })

    test('connections in the queue: permits in the order of the requests', async () => {
      const gate = await gateLimiter(4)
      const opening = connect({ connectionLimit: 4 }, { ...aurora().iam, rateLimit: gate.limiter })
      if (harness.capabilities.connectsWhenOpened) {
        await until(() => gate.waiting > 0)
        gate.grant()
      }
      const client = await opening
      const order: number[] = []
      const already = gate.granted
      const holds = [0, 1, 2, 3].map(async (i) => {
        const held = await client.hold()
        order.push(i)
        return held
      })
      for (let i = 0; i < 4 - already; i++) {
        await until(() => gate.waiting > 0)
        gate.grant()
        await until(() => order.length >= already + i + 1)
      }
      for (const held of await Promise.all(holds)) await held.release()
      expect(order).toEqual([0, 1, 2, 3])
    })

    test('any second: the server sees no more logins than the limit, and rejects none', async () => {
      aurora().setThrottle({ limit: 8, intervalMs: 400 })
      const rateLimit = createRateLimiter({ limit: 8, intervalMs: 400 })
      const client = await connect({ connectionLimit: 24 }, { ...aurora().iam, rateLimit })
      const held = await Promise.all(Array.from({ length: 24 }, () => client.hold()))
      for (const connection of held) await connection.release()
      expect(aurora().log.refusals).toHaveLength(0)
      // A busy machine opens fewer than it may.
      expect(aurora().log.peakTokens(400)).toBeLessThanOrEqual(8)
    })

    test('no permit in time: the limiter’s error', async () => {
      const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000 })
      const client = await connect({ connectionLimit: 2 }, { ...aurora().iam, rateLimit, maxWaitMs: 50 })
      const held = await client.hold()
      const error = await rejectionOf(client.query('SELECT 1'))
      // A pool that hands the one connection to the waiting query, once it is free, has not failed: it must not be
      // free.
      await held.release()
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED' })
      if (harness.capabilities.keepsErrors) {
        expect(error).toMatchObject({ retryable: true, cause: { code: 'ERR_RATE_LIMIT_TIMEOUT' } })
        expect(error.cause).toBeInstanceOf(RateLimitError)
      }
      expect(await client.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    })

    test.runIf(harness.giveUpWaiting)(
      'a request that times out in the queue: the next one gets the permit',
      async () => {
        const gate = await gateLimiter()
        const rateLimit = gate.limiter
        await harness.giveUpWaiting?.(harness.options(address(), { ...aurora().iam, rateLimit }))
        await until(() => gate.waiting === 0)
        gate.grant()
        const client = await connect({}, { ...aurora().iam, rateLimit })
        expect(await client.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
        expect(aurora().log.connections).toBe(1)
      },
    )
  })
}
