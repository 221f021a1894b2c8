import { getEventListeners } from 'node:events'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { expect, test, vi } from 'vitest'
import { adapterIam } from '../../src/adapter.ts'
import { linkSignals, onAbort } from '../../src/util/abortable.ts'

test('a signal that is aborted already: the listener is called once, and nothing listens', () => {
  const signal = AbortSignal.abort('reason')
  const listener = vi.fn()
  onAbort(signal, listener)()
  expect(listener.mock.calls).toEqual([['reason']])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a signal that is aborted later: each listener is called but those that were removed', () => {
  const controller = new AbortController()
  const [kept, removed] = [vi.fn(), vi.fn()]
  onAbort(controller.signal, kept)
  onAbort(controller.signal, removed)()
  controller.abort('reason')
  expect(kept.mock.calls).toEqual([['reason']])
  expect(removed).not.toHaveBeenCalled()
})

test('linked signals: aborted with the first, until they are unlinked', () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const linked = linkSignals([first.signal, second.signal])
  const unlinked = linkSignals([first.signal, second.signal])
  unlinked.unlink()
  second.abort('reason')
  first.abort('late')
  expect([linked.signal.aborted, linked.signal.reason]).toEqual([true, 'reason'])
  expect(unlinked.signal.aborted).toBe(false)
  expect(linkSignals([second.signal]).signal.reason).toBe('reason')
})

// On Node 20 each such call leaves 50 bytes behind for as long as the AuroraIam lives.
test("a login with the caller's limiter and a signal: AbortSignal.any is not called", async () => {
  const any = vi.spyOn(AbortSignal, 'any')
  const iam = adapterIam({ credentials: STATIC, rateLimit: createRateLimiter({ limit: 5 }) })
  const host = 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
  const target = iam.resolve({ host, port: 3306, user: 'app' })
  const login = await iam.login(target, { signal: new AbortController().signal })
  login.cancel()
  expect(any).not.toHaveBeenCalled()
  any.mockRestore()
  iam.close()
})
