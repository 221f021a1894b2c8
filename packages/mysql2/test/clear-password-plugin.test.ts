import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { clearPasswordPlugin, type PluginContext } from '../src/auth/clear-password-plugin.ts'
import { PendingLogins } from '../src/connect/pending-logins.ts'
import type { AuthenticatingConnection } from '../src/driver-types.ts'

/** Requests the token on a connection without TLS. Returns the answer, with the permits and errors that there were. */
async function request(stream: Partial<Socket>) {
  const permits: unknown[] = []
  const errors: unknown[] = []
  const context = {
    logins: new PendingLogins(),
    followed: new WeakMap(),
    resolve: () => ({}),
    groupOf: () => ({}),
    connectTimeout: 0,
    iam: { loginAgain: async (target: unknown) => void permits.push(target) },
  } as unknown as PluginContext
  const connection = Object.assign(new EventEmitter(), {
    config: { ssl: false },
    stream: { writable: true, destroy: (error: unknown) => errors.push(error), ...stream },
  }) as unknown as AuthenticatingConnection['connection']
  const answer = clearPasswordPlugin(context)({ connection, command: new EventEmitter() })
  return { answer: await answer(), permits, errors }
}

test('the server has broken the connection since it asked: no answer, no permit, no error', async () => {
  expect(await request({})).toEqual({ answer: null, permits: [], errors: [] })
})

test('a connection without TLS, whose mysql2 does not report its version: no answer, no permit', async () => {
  const { answer, permits, errors } = await request({ remoteAddress: '127.0.0.1' })
  expect({ answer, permits }).toEqual({ answer: null, permits: [] })
  expect(errors).toMatchObject([{ code: 'ERR_AURORA_IAM_TLS_REQUIRED' }])
})

test('the same on a stream that mysql2 has ended: destroyed without an error', async () => {
  const { answer, errors } = await request({ remoteAddress: '127.0.0.1', writable: false })
  expect({ answer, errors }).toEqual({ answer: null, errors: [undefined] })
})
