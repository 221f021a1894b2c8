import { expect, test } from 'vitest'
import type { LogEvent } from '../src/log/log-events.ts'
import { LoginLog } from '../src/log/login-log.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const token = (fingerprint: string) =>
  ({ type: 'token', connection: 1, user: 'app', fingerprint, encrypted: true }) as const

test('events: dated by the given clock, and by the monotonic clock beside it', () => {
  const log = new LoginLog(() => NOW)
  const before = performance.now()
  log.record({ type: 'connection', connection: 1, remoteAddress: '127.0.0.1' })
  const [event] = [...log]
  expect(event!.at).toEqual(new Date(NOW))
  expect(event!.atMs).toBeGreaterThanOrEqual(before)
})

test('tokens: counted, and different ones are told apart', () => {
  const log = new LoginLog(() => NOW)
  for (const fingerprint of ['a', 'b', 'a']) log.record(token(fingerprint))
  expect(log.tokensReceived).toBe(3)
  expect(log.fingerprints).toEqual(['a', 'b'])
  log.clear()
  expect(log.tokensReceived).toBe(0)
})

test('peakTokens: the interval with most tokens, without its end', async () => {
  const log = new LoginLog(() => NOW)
  expect(log.peakTokens(1000)).toBe(0)
  for (let count = 0; count < 3; count += 1) log.record(token('a'))
  await new Promise((resolve) => setTimeout(resolve, 30))
  log.record(token('a'))
  const times = [...log].map(({ atMs }) => atMs)
  const span = times.at(-1)! - times[0]!
  expect(log.peakTokens(span)).toBe(3)
  expect(log.peakTokens(span + 0.001)).toBe(4)
})

test('a live watch: it gets events until it is ended', () => {
  const log = new LoginLog(() => NOW)
  const seen: LogEvent['type'][] = []
  const stop = log.on(({ type }) => seen.push(type))
  log.record(token('a'))
  stop()
  log.record(token('b'))
  expect(seen).toEqual(['token'])
})

test('each kind of event: printed as one line, without the control characters of a client', () => {
  const log = new LoginLog(() => NOW)
  const user = 'a\n\u001b[31m'
  const trace = { connection: 7, user, fingerprint: 'f00', hostname: 'h', port: 1, accessKeyId: 'WXYZ' }
  log.record({ type: 'connection', connection: 7, remoteAddress: '127.0.0.1' })
  log.record({ type: 'tls', connection: 7, protocol: 'TLSv1.3', resumed: true })
  log.record({ type: 'plaintext', connection: 7, user })
  log.record({ type: 'token', encrypted: false, ...trace })
  log.record({ type: 'login', ...trace })
  log.record({ type: 'change-user', ...trace })
  log.record({ type: 'refusal', reason: 'ExpiredToken', detail: 'too old', during: 'login', ...trace })
  log.record({ type: 'closed', connection: 7, by: 'server', phase: 'auth', detail: 'timeout' })
  const name = '"a\\n\\u001b[31m"'
  expect(String(log).replaceAll('2026-11-23T12:00:00.000Z #7 ', '').split('\n')).toEqual([
    'connection from 127.0.0.1',
    'TLSv1.3 resumed for no name',
    `${name} came without TLS and was sent away`,
    `token f00 for ${name} IN THE CLEAR`,
    `login of ${name}, token f00 signed for h:1 by …WXYZ`,
    `change to ${name}, token f00 signed for h:1 by …WXYZ`,
    `ExpiredToken: login of ${name}: too old`,
    'closed by server in auth: timeout',
  ])
})

test('controls, direction overrides and half pairs that a client sent: escaped in every part of a line', () => {
  const log = new LoginLog(() => NOW)
  const hostile = 'a\u009b31m\u202eb\u2028\u200b\ud800\u{e0001}'
  log.record({ type: 'tls', connection: 7, protocol: 'TLSv1.3', servername: hostile, resumed: false })
  log.record({
    type: 'login',
    connection: 7,
    user: hostile,
    fingerprint: 'f00',
    hostname: hostile,
    port: 1,
    accessKeyId: hostile,
  })
  log.record({ type: 'closed', connection: 7, by: 'client', phase: 'auth', detail: hostile })
  const lines = String(log).split('\n')
  expect(lines).toHaveLength(3)
  for (const line of lines) {
    expect(line).toContain('a\\u009b31m\\u202eb\\u2028\\u200b\\ud800\\udb40\\udc01')
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  }
})
