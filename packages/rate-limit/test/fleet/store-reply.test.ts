import { expect, test } from 'vitest'
import { readStoreReply } from '../../src/fleet/store-reply.ts'
import { type StoreRequest, sendRequest } from '../../src/fleet/store-request.ts'

/** The clock, lateness, birth, three limits, and so on in the order of the protocol. */
const header = [9000, 0, 100, 20, 10, 4, 250, 5, 30_000, 500, 77, 3, 2, 6, 8]

test('a reply: each number has its name', () => {
  expect(readStoreReply([...header, 12, 0, 13, 40])).toEqual({
    now: 9000,
    isLate: false,
    born: 100,
    limit: 20,
    effectiveLimit: 10,
    processes: 4,
    retryMs: 250,
    share: 5,
    renewMs: 30_000,
    slowestLeaseMs: 500,
    firstAdopted: 77,
    turns: [3, 2],
    waiting: 6,
    inUse: 8,
    held: [
      { id: 12, waitMs: 0 },
      { id: 13, waitMs: 40 },
    ],
  })
})

test('a client that returns numbers as texts, and a late reply: read as well', () => {
  expect(readStoreReply(header.map(String))).toMatchObject({ now: 9000, inUse: 8, held: [] })
  expect(readStoreReply(header.with(1, 1))).toMatchObject({ isLate: true })
})

test('a share above the limit: the limit', () => {
  expect(readStoreReply(header.with(7, 50))).toMatchObject({ share: 20 })
})

test.each([
  ['nothing', null],
  ['a text', 'OK'],
  ['too few numbers', header.slice(1)],
  ['a permit without its wait', [...header, 12]],
  ['a negative number', header.with(8, -1)],
  ['a fraction', header.with(0, 0.5)],
  ['a number that is none', header.with(14, Number.NaN)],
  ['a text that is no number', [...header.slice(1), 'now']],
  ['an empty text in place of a number', header.with(6, '' as never)],
  ['an object', header.map((number, index) => (index === 6 ? { number } : number))],
  ['a list in place of a number', header.map((number, index) => (index === 6 ? [number] : number))],
  ['null in place of a number', header.map((number, index) => (index === 6 ? null : number))],
  ['a limit of 0', header.with(3, 0)],
  ['a limit in force of 0', header.with(4, 0)],
  ['no processes', header.with(5, 0)],
])('%s: no reply of the protocol', (_, reply) => {
  expect(() => readStoreReply(reply)).toThrow('Its reply is not one of the fleet protocol.')
})

const request = { process: 'p' } as StoreRequest

test('a request: sent as JSON for its key, or for the default one', async () => {
  const sent: string[][] = []
  const store = {
    step: async (...step: [string, string]) => {
      sent.push(step)
      return header
    },
  }
  expect(await sendRequest(store, 'cluster', request)).toMatchObject({ limit: 20 })
  await sendRequest(store, undefined, request)
  expect(sent).toEqual([
    ['cluster', '{"process":"p"}'],
    ['default', '{"process":"p"}'],
  ])
})

test('a store that fails: an error, also where it throws something else', async () => {
  const failureOf = (thrown: unknown) =>
    sendRequest({ step: () => Promise.reject(thrown) }, undefined, request).catch((error: unknown) => error)
  const own = new Error('No.')
  expect(await failureOf(own)).toBe(own)
  expect(await failureOf('No.')).toMatchObject({ message: 'It failed with No..', cause: 'No.' })
  expect(await failureOf(undefined)).toMatchObject({ message: 'It failed with no error.' })
})
