import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LoginPlaces, type SilentClient } from '../../src/gateway/login-places.ts'

const { signal } = new AbortController()
const yielded: string[] = []
const client = (name: string): SilentClient => ({
  yieldPlace: () => void yielded.push(name),
  close: () => void yielded.push(`${name} closed`),
})

beforeEach(() => {
  yielded.length = 0
  useMovedClock('setTimeout')
})

afterEach(() => void vi.useRealTimers())

/** Returns whether the promise is resolved already. */
const isDone = (promise: Promise<unknown>) => Promise.race([promise.then(() => true), delay(false)])
const delay = async (value: boolean) => {
  for (let turn = 0; turn < 10; turn++) await undefined
  return value
}

test('a place is left: the first that waits gets it', async () => {
  const places = new LoginPlaces(1)
  const first = await places.enter(signal)
  const [second, third] = [places.enter(signal), places.enter(signal)]
  first.leave()
  first.leave()
  expect((await second).isHeld).toBe(true)
  expect(await isDone(third)).toBe(false)
})

test('the client that waits is gone: it holds no place, and the next gets it', async () => {
  const places = new LoginPlaces(1)
  const first = await places.enter(signal)
  const gone = new AbortController()
  const second = places.enter(gone.signal)
  const third = places.enter(signal)
  gone.abort()
  expect((await second).isHeld).toBe(false)
  expect((await places.enter(AbortSignal.abort())).isHeld).toBe(false)
  first.leave()
  expect((await third).isHeld).toBe(true)
})

test('silent clients in every place: the longest silence yields after a second, one place for each that waits', async () => {
  const places = new LoginPlaces(2)
  const [first, second] = [await places.enter(signal), await places.enter(signal)]
  first.greet(client('first'))
  vi.advanceTimersByTime(400)
  second.greet(client('second'))
  const third = places.enter(signal)
  vi.advanceTimersByTime(599)
  expect(await isDone(third)).toBe(false)
  vi.advanceTimersByTime(1)
  expect((await third).isHeld).toBe(true)
  expect(first.isHeld).toBe(false)
  const fourth = places.enter(signal)
  vi.advanceTimersByTime(399)
  expect(await isDone(fourth)).toBe(false)
  vi.advanceTimersByTime(1)
  expect((await fourth).isHeld).toBe(true)
  expect(yielded).toEqual(['first', 'second'])
})

test('no client waits: a silent client keeps its place', async () => {
  const places = new LoginPlaces(1)
  const only = await places.enter(signal)
  only.greet(client('only'))
  vi.advanceTimersByTime(60_000)
  expect(only.isHeld).toBe(true)
  await only.keep(signal)
  const next = places.enter(signal)
  vi.advanceTimersByTime(60_000)
  // It has proven its password.
  expect(await isDone(next)).toBe(false)
  expect(yielded).toEqual([])
})

test('a client that yielded its place and proves its password: it waits for a place', async () => {
  const places = new LoginPlaces(1)
  const slow = await places.enter(signal)
  slow.greet(client('slow'))
  const next = places.enter(signal)
  vi.advanceTimersByTime(1_000)
  const kept = slow.keep(signal)
  expect(await isDone(kept)).toBe(false)
  ;(await next).end()
  await kept
  expect(slow.isHeld).toBe(true)
})

test('room for a connection: the longest silence of a second ends, whether the client has a place or not', async () => {
  const places = new LoginPlaces(1)
  const first = await places.enter(signal)
  first.greet(client('first'))
  vi.advanceTimersByTime(999)
  expect(places.closeSilent()).toBe(false)
  const second = places.enter(signal)
  vi.advanceTimersByTime(1)
  ;(await second).greet(client('second'))
  vi.advanceTimersByTime(1_000)
  expect([places.closeSilent(), places.closeSilent(), places.closeSilent()]).toEqual([true, true, false])
  expect(yielded).toEqual(['first', 'first closed', 'second closed'])
})
