import { getEventListeners } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LoginLimits, logIn } from '../../src/connect/log-in.ts'
import { COMMAND, ScriptedServer } from '../scripted-server.ts'

let server: ScriptedServer

beforeEach(async () => {
  server = await ScriptedServer.start()
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
})

/** Logs in over a new socket. Ends of it, by mariadb's name for them, are counted in `destroyed`. */
function start(limits: Partial<LoginLimits> = {}, socket: Duplex = connect(server.port, '127.0.0.1')) {
  const destroyed: unknown[] = []
  const controller = new AbortController()
  const destroy = (error?: Error) => {
    destroyed.push(error)
    socket.emit('end', error)
    socket.destroy()
  }
  const config = { user: 'app', password: 'secret' }
  const login = logIn(socket, config, { signal: controller.signal, timeoutMs: 5_000, destroy, ...limits })
  login.catch(() => {})
  return { login, socket, destroyed, controller }
}

const silence = (): void => {
  server.answer = () => undefined
}

test('a login that succeeds: a connection, and nothing of the login is left', async () => {
  const { login, socket, destroyed, controller } = start()
  const connection = await login
  await connection.query('DO 1')
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  expect([destroyed, socket.destroyed]).toEqual([[], false])
  await connection.end()
})

test('a login that is aborted before it begins, or while it is under way: it rejects, and its socket is closed', async () => {
  const reason = Object.assign(new Error('disconnected'), { code: 'CLOSED' })
  const before = start({ signal: AbortSignal.abort(reason) }, unconnected())
  await expect(before.login).rejects.toBe(reason)
  expect(before.socket.destroyed).toBe(true)
  silence()
  const { login, socket, controller } = start()
  await until(() => server.sockets.size === 1)
  controller.abort(reason)
  await expect(login).rejects.toMatchObject({ code: 'ER_SOCKET_UNEXPECTED_CLOSE' })
  expect(socket.destroyed).toBe(true)
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
})

test('a login that is aborted in its last step: no connection', async () => {
  const { login } = start({ signal: lateAbort() })
  await expect(login).rejects.toThrow('too late')
})

/** Returns a signal that is aborted when it is looked at for the second time, and calls no listener. */
function lateAbort(): AbortSignal {
  let looks = 0
  const { signal } = new AbortController()
  return Object.assign(signal, {
    throwIfAborted: () => {
      if (++looks === 2) throw Object.assign(new Error('too late'), { code: 'ABORTED' })
    },
  })
}

test('a server that does not finish the login: a time-out with its limit and its option', async () => {
  silence()
  const { login, socket } = start({ timeoutMs: 50 })
  await expect(login).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    syscall: 'connect',
    message: expect.stringContaining('within 50 ms (connectTimeoutMs)'),
  })
  expect(socket.destroyed).toBe(true)
})

/** Returns a stream whose TCP connection is never established. */
function unconnected(): Duplex {
  const stream = new Duplex({ read: () => {}, write: (_chunk, _encoding, callback) => callback() })
  return Object.assign(stream, { setTimeout: () => stream })
}

test('an address that does not answer: the shorter limit for TCP reports it', async () => {
  await expect(start({ tcpTimeoutMs: 20 }, unconnected()).login).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    message: expect.stringContaining('within 20 ms (tcpTimeoutMs)'),
  })
})

test.each([
  ['longer than that of the login', 40],
  ['as long as that of the login', 20],
])('a limit for TCP that is %s: the login reports the time-out', async (_, tcpTimeoutMs) => {
  await expect(start({ timeoutMs: 20, tcpTimeoutMs }, unconnected()).login).rejects.toMatchObject({
    message: expect.stringContaining('(connectTimeoutMs)'),
  })
})

test('a TCP connection within its limit: the limit ends with it', async () => {
  let isWaiting = true
  const afterwards = async () => {
    await new Promise((resolve) => setTimeout(resolve, 60))
    isWaiting = false
  }
  const { login, destroyed } = start({ tcpTimeoutMs: 50, afterwards })
  const connection = await login
  expect([isWaiting, destroyed]).toEqual([false, []])
  await connection.end()
})

test('a limit of the caller: it replaces the timer, and is stopped when the login is over', async () => {
  const events: string[] = []
  const limitTime: LoginLimits['limitTime'] = (timeoutError) => {
    events.push(timeoutError().message.slice(0, 9))
    return () => events.push('stopped')
  }
  const { login } = start({
    timeoutMs: 20,
    limitTime,
    afterwards: () => new Promise((resolve) => setTimeout(resolve, 40)),
  })
  await (await login).end()
  expect(events).toEqual(['The login', 'stopped'])
})

test('work of the login that fails: the connection is closed, and an error without a code is one of the protocol', async () => {
  const cause = new TypeError('a mistake of mariadb')
  const mistaken = start({ afterwards: () => Promise.reject(cause) })
  await expect(mistaken.login).rejects.toMatchObject({ code: 'EPROTO', syscall: 'read', cause })
  expect([mistaken.destroyed.length, mistaken.socket.destroyed]).toEqual([1, true])
  const refused = Object.assign(new Error('no writer'), { code: 'NOT_A_WRITER' })
  await expect(start({ afterwards: () => Promise.reject(refused) }).login).rejects.toBe(refused)
})

test('a rejected login: the error of the server', async () => {
  server.answer = () => encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' })
  await expect(start().login).rejects.toMatchObject({ errno: 1045 })
})

test('an option on Object.prototype: mariadb does not read it', async () => {
  const prototype = Object.prototype as Record<string, unknown>
  try {
    Object.defineProperty(prototype, 'initSql', { configurable: true, writable: true, value: 'DO 1' })
    await (await start().login).end()
  } finally {
    delete prototype.initSql
  }
  expect(server.commands).not.toContain(COMMAND.query)
})
