import { expect, test } from 'vitest'
import { describeName } from '../../src/util/describe.ts'
import { ownProperties } from '../../src/util/own-properties.ts'
import { redact } from '../../src/util/redact.ts'
import { sdkExports } from '../../src/util/sdk-exports.ts'
import { SingleFlight } from '../../src/util/single-flight.ts'
import { isDuration, isObjectOrFunction } from '../../src/util/validate.ts'
import { Deferred } from '../support.ts'

test('ownProperties(): a copy without a prototype, in which nothing inherited is read', () => {
  const given = Object.assign(Object.create({ inherited: 1 }), { own: 2 })
  const copy = ownProperties(given)
  expect(copy).toEqual({ own: 2 })
  expect(copy.inherited).toBeUndefined()
  expect(Object.getPrototypeOf(copy)).toBeNull()
})

test.each([[undefined], [null], ['text'], [7], [[1, 2]], [() => {}], [Promise.resolve({})]])(
  'ownProperties(%o): returned unchanged, for the check that refuses it',
  (value) => {
    expect(ownProperties(value)).toBe(value)
  },
)

test.each([
  ['maxWaitMs', 'maxWaitMs'],
  ['dial.host-name_$1', 'dial.host-name_$1'],
  ['x'.repeat(40), 'x'.repeat(40)],
  ['x'.repeat(41), 'an option whose name has 41 characters'],
  ['', 'an option whose name has 0 characters'],
  ['hunter2@db', 'an option whose name has 10 characters'],
  ['pass word', 'an option whose name has 9 characters'],
  ['@name', 'an option whose name has 5 characters'],
  ['name\n', 'an option whose name has 5 characters'],
])('describeName(%j): a name that may be a secret is not repeated', (name, shown) => {
  expect(describeName(name)).toBe(shown)
})

test.each([
  [
    'X-Amz-Security-Token=a%2Fb%3D&X-Amz-Signature=0f&DBUser=app',
    'X-Amz-Security-Token=<redacted>&X-Amz-Signature=<redacted>&DBUser=app',
  ],
  ['X-Amz-Signature%3D0f%26DBUser%3Dapp', 'X-Amz-Signature%3D<redacted>%26DBUser%3Dapp'],
  ['x-amz-signature=0f', 'x-amz-signature=<redacted>'],
  ...[' ', '\n', '"', "'", '@'].map((end) => [
    `X-Amz-Signature=0f${end}rest`,
    `X-Amz-Signature=<redacted>${end}rest`,
  ]),
  ['X-Amz-Date=20261123T120000Z', 'X-Amz-Date=20261123T120000Z'],
])('redact(%j): only the signature and the session token are removed', (text, shown) => {
  expect(redact(text as string)).toBe(shown)
})

test('sdkExports(): the names of a module, also where a bundle has them under default alone', async () => {
  const names = { Signer: 1 }
  const named = { ...names, default: {} }
  expect(await sdkExports(Promise.resolve(named))).toBe(named)
  expect(await sdkExports(Promise.resolve({ default: names }))).toBe(names)
  expect(await sdkExports(Promise.resolve(names))).toBe(names)
})

test.each([
  ['an error', new Error('not found'), 'not found'],
  ['an object of another realm', { message: 'no such module' }, 'no such module'],
  ['a text', 'broken', 'broken'],
  ['nothing', undefined, 'undefined'],
])('sdkExports() of a module that fails with %s: the reason, and the cause', async (_what, cause, reason) => {
  const failed = sdkExports(Promise.reject(cause))
  await expect(failed).rejects.toThrow(`the AWS SDK cannot be loaded: ${reason}`)
  await expect(failed).rejects.toHaveProperty('cause', cause)
})

test.each([
  [0, true],
  [2_147_483_647, true],
  [2_147_483_648, false],
  [-1, false],
  [Number.NaN, false],
  ['5', false],
  [undefined, false],
])('isDuration(%o): %s', (value, expected) => {
  expect(isDuration(value)).toBe(expected)
})

test.each([
  [{}, true],
  [() => {}, true],
  [null, false],
  ['text', false],
  [undefined, false],
])('isObjectOrFunction(%o): %s', (value, expected) => {
  expect(isObjectOrFunction(value)).toBe(expected)
})

test('SingleFlight: one run for all callers of a key, and none is kept after it', async () => {
  const flights = new SingleFlight<string, number>()
  const [first, second] = [new Deferred<number>(), new Deferred<number>()]
  const one = flights.run('key', () => first.promise)
  expect(flights.run('key', () => second.promise)).toBe(one)
  expect(flights.pending('key')).toBe(one)
  expect(flights.pending('other')).toBeUndefined()
  first.resolve(1)
  expect(await one).toBe(1)
  expect(flights.pending('key')).toBeUndefined()
})

test.each(['forget', 'clear'] as const)(
  'SingleFlight, %s: new work begins, and the end of the old one ends nothing',
  async (way) => {
    const flights = new SingleFlight<string, boolean>()
    const [first, second] = [new Deferred<void>(), new Deferred<void>()]
    const old = flights.run('key', async (isCurrent) => {
      await first.promise
      return isCurrent()
    })
    if (way === 'forget') flights.forget('key')
    else flights.clear()
    const current = flights.run('key', async (isCurrent) => {
      await second.promise
      return isCurrent()
    })
    expect(current).not.toBe(old)
    first.resolve()
    expect(await old).toBe(false)
    expect(flights.pending('key')).toBe(current)
    second.resolve()
    expect(await current).toBe(true)
  },
)
