import { adapterIam } from '@aurora-iam/core/adapter'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import type { ConnectionSettings } from '../src/driver-types.ts'
import { connectionHooks } from '../src/hooks.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const READER_HOST = HOST.replace('cluster-', 'cluster-ro-')
const OTHER_HOST = HOST.replace('mydb', 'other')

const iam = adapterIam({ credentials: STATIC, rateLimit: false })
const writer = iam.resolve({ host: HOST, port: 3306, user: 'app' })
const reader = iam.resolve({ host: READER_HOST, port: 3306, user: 'app' })
let requested: MockInstance<typeof iam.tryLogin>

beforeEach(() => {
  requested = vi.spyOn(iam, 'tryLogin').mockReturnValue(undefined)
  vi.spyOn(iam, 'login').mockRejectedValue(new Error('no login in this test'))
})

const hooksOf = (target: Parameters<typeof connectionHooks>[1]['target'] = [writer, reader]) =>
  connectionHooks(iam, { target, connectTimeout: 0 })

/** Opens a connection as mysql2 does. Returns the target and the group that its login was requested with. */
async function open({ stream }: ReturnType<typeof hooksOf>, settings: object = {}) {
  const config = { host: HOST, port: 3306, user: 'app', ssl: {}, ...settings } as ConnectionSettings
  const socket = stream({ config }).on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  const [target, group] = requested.mock.lastCall!
  return { target, group }
}

describe('the target of a connection', () => {
  test('a known node, with its user or without one: its target', async () => {
    const hooks = hooksOf()
    expect((await open(hooks)).target).toBe(writer)
    expect((await open(hooks, { host: READER_HOST })).target).toBe(reader)
    expect((await open(hooks, { user: undefined })).target).toBe(writer)
    expect((await open(hooksOf(reader), { host: READER_HOST })).target).toBe(reader)
  })

  test('a known node with another user: its target with that user', async () => {
    expect((await open(hooksOf(), { user: 'report' })).target).toEqual({ ...writer, username: 'report' })
  })

  test.each([
    ['host', { host: OTHER_HOST }, { hostname: OTHER_HOST, port: 3306 }],
    ['port', { port: 3307 }, { hostname: HOST, port: 3307 }],
  ])('another %s: resolved', async (_what, settings, expected) => {
    expect((await open(hooksOf(), settings)).target).toMatchObject({ ...expected, username: 'app' })
  })
})

test('the group of a login: one for each node of the same hooks, for any user', async () => {
  const [hooks, other] = [hooksOf(), hooksOf()]
  const { group } = await open(hooks)
  expect(group).toEqual({})
  expect((await open(hooks, { user: 'report' })).group).toBe(group)
  expect((await open(hooks, { host: READER_HOST })).group).not.toBe(group)
  expect((await open(other)).group).not.toBe(group)
})
