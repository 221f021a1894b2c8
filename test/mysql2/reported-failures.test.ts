import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ConnectFailedEvent, createAuroraIam, type PermitEvent } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()

test('a lost permit: found from the events alone', async () => {
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
  const open = new Map<string, string>()
  const ended: Array<string | undefined> = []
  const onPermit = (event: unknown) => {
    const { type, id } = event as PermitEvent
    if (type === 'granted') open.set(id, type)
    else open.delete(id)
  }
  const onEnd = (event: unknown) => ended.push((event as ConnectFailedEvent).permitId)
  subscribe('aurora-iam:rate-limit:permit', onPermit)
  for (const name of ['connect', 'connect-failed']) subscribe(`aurora-iam:${name}`, onEnd)
  const { promises } = VERSIONS.at(-1)!
  const good = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
  await good.end()
  aurora.faults.set({ refuse: 'NotAuthorized' })
  await rejectionOf(promises.createConnection(withAuroraIam(addressOf(aurora), iam)))
  const lost = await limiter.acquire()
  unsubscribe('aurora-iam:rate-limit:permit', onPermit)
  for (const name of ['connect', 'connect-failed']) unsubscribe(`aurora-iam:${name}`, onEnd)
  expect([...open.keys()]).toEqual([lost.id])
  expect(new Set(ended).size).toBe(2)
  expect(ended).not.toContain(lost.id)
})
