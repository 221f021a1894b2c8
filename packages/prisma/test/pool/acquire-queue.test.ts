import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AcquireQueue, type Waiter } from '../../src/pool/acquire-queue.ts'

const TIMEOUT_MS = 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Returns a waiter whose connection is the number that its `serve` is called with. */
function waiter(): Waiter<number> & { serve: (connection: number) => void } {
  let serve = (_connection: number) => {}
  let reject = (_error: Error) => {}
  const promise = new Promise<number>((resolve, fail) => {
    serve = resolve
    reject = fail
  })
  return { promise, reject, serve }
}

function openQueue(isExtended: (position: number) => boolean = () => false): AcquireQueue<number> {
  return new AcquireQueue({ timeoutMs: TIMEOUT_MS, isExtended, timeoutError: () => new Error('too long') })
}

test('a connection in time: the wait ends with it, and so does its time limit', async () => {
  const queue = openQueue()
  const [first, second] = [waiter(), waiter()]
  const waits = [queue.wait(first), queue.wait(second)]
  expect(queue.size).toBe(2)
  second.serve(2)
  expect(await waits[1]).toBe(2)
  expect([queue.size, vi.getTimerCount()]).toEqual([1, 1])
  first.serve(1)
  expect(await waits[0]).toBe(1)
  expect([queue.size, vi.getTimerCount()]).toEqual([0, 0])
})

test('no connection in time: the wait rejects when it is over, and not before', async () => {
  const queue = openQueue()
  const failure = vi.fn()
  queue.wait(waiter()).catch(failure)
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS - 1)
  expect(failure).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(failure).toHaveBeenCalledWith(new Error('too long'))
  expect(queue.size).toBe(0)
})

test('a wait that is extended: it has its whole time again, for as long as its position allows', async () => {
  let served = 1
  const queue = openQueue((position) => position < served)
  const failures: string[] = []
  const waits = ['first', 'second'].map((name) => queue.wait(waiter()).catch(() => void failures.push(name)))
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS)
  expect(failures).toEqual(['second'])
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS)
  expect(failures).toEqual(['second'])
  served = 0
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS)
  expect(failures).toEqual(['second', 'first'])
  await Promise.all(waits)
})

test('two failures at once: each rejects the one that has waited longest', async () => {
  const queue = openQueue()
  queue.rejectFirst(new Error('no waiter is left'))
  const waits = [queue.wait(waiter()), queue.wait(waiter()), queue.wait(waiter())]
  queue.rejectFirst(new Error('one'))
  queue.rejectFirst(new Error('two'))
  expect(queue.size).toBe(1)
  queue.rejectAll(new Error('closed'))
  const results = await Promise.allSettled(waits)
  expect(results.map((result) => (result as PromiseRejectedResult).reason.message)).toEqual([
    'one',
    'two',
    'closed',
  ])
  expect([queue.size, vi.getTimerCount()]).toEqual([0, 0])
})
