import { rateLimitPresets } from '@aurora-iam/rate-limit'
import { expect, test } from 'vitest'
import { readRateLimit } from '../../src/gateway/rate-limit.ts'

test('--redis without --limit: the limit of the preset', async () => {
  const { limit, intervalMs } = rateLimitPresets.conservative
  const { rateLimit, close } = await readRateLimit({ redis: 'redis://127.0.0.1:1' }, {})
  close()
  expect(rateLimit).toMatchObject({ limit, intervalMs })
})
