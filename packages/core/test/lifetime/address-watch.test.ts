import dns from 'node:dns'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AddressWatch } from '../../src/lifetime/address-watch.ts'
import { DemotedAddresses } from '../../src/lifetime/demoted-addresses.ts'

type Answer = string[] | Error

let answers: Answer[]
let lookUps = 0

beforeEach(() => {
  vi.useFakeTimers()
  lookUps = 0
  // The last answer is repeated.
  const next = () => {
    lookUps++
    return answers.length > 1 ? answers.shift()! : answers[0]!
  }
  const listOf = (answer: string[], { all }: { all?: boolean }) => {
    const list = answer.map((address) => ({ address, family: 4 }))
    return all ? list : list[0]
  }
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    options: object,
    callback: (...args: unknown[]) => void,
  ) => {
    const answer = next()
    if (answer instanceof Error) callback(answer)
    else callback(null, listOf(answer, options))
  }) as never)
  vi.spyOn(dns.promises, 'lookup').mockImplementation((async (_host: string, options: object) => {
    const answer = next()
    if (answer instanceof Error) throw answer
    return listOf(answer, options)
  }) as never)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('each interval: the listener gets the addresses; a look-up that fails is no answer', () => {
  answers = [['10.0.0.1'], new Error('ENOTFOUND'), [], ['10.0.0.2', '10.0.0.3']]
  const heard: string[][] = []
  const stop = new AddressWatch('db.example', 5000).listen((addresses) => heard.push([...addresses]))
  vi.advanceTimersByTime(20_000)
  expect(heard).toEqual([['10.0.0.1'], ['10.0.0.2', '10.0.0.3']])
  stop()
  vi.advanceTimersByTime(20_000)
  expect(lookUps).toBe(4)
})

test('an IP address: nothing is looked up', () => {
  new AddressWatch('10.0.0.1', 5000).listen(() => {})
  expect(vi.getTimerCount()).toBe(0)
})

test('two pools of one name: one look-up each interval, also when one of them has left', () => {
  answers = [['10.0.0.1']]
  const watch = new AddressWatch('db.example', 5000)
  watch.listen(() => {})
  const leave = watch.listen(() => {})
  vi.advanceTimersByTime(15_000)
  expect(lookUps).toBe(3)
  leave()
  vi.advanceTimersByTime(15_000)
  expect(lookUps).toBe(6)
})

test('the last listener leaves during a look-up, and another comes: one look-up each interval', () => {
  const callbacks: Array<(error: Error) => void> = []
  vi.mocked(dns.lookup).mockImplementation(((_host: string, _options: object, callback: () => void) =>
    callbacks.push(callback)) as never)
  const watch = new AddressWatch('db.example', 5000)
  const stop = watch.listen(() => {})
  vi.advanceTimersByTime(5000)
  stop()
  watch.listen(() => {})
  vi.advanceTimersByTime(60_000)
  expect(callbacks).toHaveLength(1)
  callbacks[0]?.(new Error('ETIMEOUT'))
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(5000)
  expect(callbacks).toHaveLength(2)
})

test('the last listener leaves during a look-up: no timer is left', () => {
  const watch = new AddressWatch('db.example', 5000)
  const stop = watch.listen(() => {})
  vi.mocked(dns.lookup).mockImplementation(((
    _host: string,
    _options: object,
    callback: (e: Error) => void,
  ) => {
    stop()
    callback(new Error('ETIMEOUT'))
  }) as never)
  vi.advanceTimersByTime(5000)
  expect(vi.getTimerCount()).toBe(0)
})

test('a demoted writer: logins wait until its name leads elsewhere, and share the look-ups', async () => {
  answers = [['10.0.0.1'], ['10.0.0.1'], ['10.0.0.2']]
  const demoted = new DemotedAddresses()
  expect(demoted.concerns('db.example')).toBe(false)
  demoted.add('db.example', '10.0.0.1')
  expect(demoted.concerns('db.example')).toBe(true)
  let arrived = 0
  const waits = Array.from({ length: 100 }, () => demoted.wait('db.example').then(() => arrived++))
  await vi.advanceTimersByTimeAsync(300)
  expect(arrived).toBe(0)
  await vi.advanceTimersByTimeAsync(300)
  await Promise.all(waits)
  expect(lookUps).toBe(3)
})

test('a failover back to the demoted writer, after its name led elsewhere: logins do not wait', async () => {
  answers = [['10.0.0.1'], ['10.0.0.2'], ['10.0.0.1']]
  const demoted = new DemotedAddresses()
  demoted.add('db.example', '10.0.0.1')
  demoted.add('other.example', '10.0.0.1')
  const wait = demoted.wait('db.example')
  await vi.advanceTimersByTimeAsync(300)
  await wait
  expect(demoted.concerns('db.example')).toBe(false)
  // Of this name it is not known.
  expect(demoted.concerns('other.example')).toBe(true)
  await demoted.wait('db.example')
  expect(lookUps).toBe(2)
})

test('a name with several addresses, one of them of a demoted writer: it stays remembered', async () => {
  answers = [['10.0.0.1', '10.0.0.2'], ['10.0.0.1'], ['10.0.0.2']]
  const demoted = new DemotedAddresses()
  demoted.add('db.example', '10.0.0.1')
  await demoted.wait('db.example')
  const wait = demoted.wait('db.example')
  await vi.advanceTimersByTimeAsync(300)
  await wait
  expect(lookUps).toBe(3)
})

test('a writer that is read-only for another reason: the wait ends, and later logins do not wait', async () => {
  answers = [['10.0.0.1']]
  const demoted = new DemotedAddresses()
  demoted.add('db.example', '10.0.0.1')
  const wait = demoted.wait('db.example')
  await vi.advanceTimersByTimeAsync(31_000)
  await wait
  expect(demoted.concerns('db.example')).toBe(false)
  // Every 250 ms for 30 s.
  expect(lookUps).toBe(120)
})

test('two writers demoted one after the other: logins wait for a third', async () => {
  answers = [['10.0.0.2'], ['10.0.0.2'], ['10.0.0.3']]
  const demoted = new DemotedAddresses()
  demoted.add('db.example', '10.0.0.1')
  demoted.add('db.example', '10.0.0.2')
  const wait = demoted.wait('db.example')
  await vi.advanceTimersByTimeAsync(600)
  await wait
  expect(lookUps).toBe(3)
})

test('a host that is an IP address: no login waits', () => {
  const demoted = new DemotedAddresses()
  demoted.add('10.0.0.1', '10.0.0.1')
  expect(demoted.concerns('10.0.0.1')).toBe(false)
})

test('a login that waits: it does not keep the process alive', async () => {
  vi.useRealTimers()
  answers = [['10.0.0.1'], ['10.0.0.2']]
  const demoted = new DemotedAddresses()
  demoted.add('db.example', '10.0.0.1')
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  const wait = demoted.wait('db.example')
  await new Promise(setImmediate)
  expect(lookUps).toBe(1)
  expect(timers()).toBe(before)
  await wait
})

test('a name that cannot be looked up: the login goes on, and reports it', async () => {
  answers = [new Error('ENOTFOUND')]
  const demoted = new DemotedAddresses()
  demoted.add('db.example', '10.0.0.1')
  await demoted.wait('db.example')
  // Its answer was no address.
  expect(demoted.concerns('db.example')).toBe(true)
})
