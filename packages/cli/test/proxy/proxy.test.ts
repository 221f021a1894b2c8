import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { createCertificates } from '@aurora-iam/test-support/certificates'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { until, untilDone } from '@aurora-iam/test-support/until'
import { createConnection } from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { runCli } from '../../src/cli.ts'
import { buildProgram, runProgram, startProgram, targetOptions } from '../built-program.ts'
import { prepareFor } from '../support.ts'

const aurora = await localAurora()
prepareFor(aurora)
buildProgram()

const PASSWORD = 'a password of more than sixteen characters'

beforeEach(async () => {
  await write('password', `${PASSWORD}\n`)
  await chmod(pathOf('password'), 0o600)
})

/** Runs `proxy` in this process until the test ends it. */
function start(...args: string[]) {
  const output = { out: '', error: '' }
  const stop = new AbortController()
  const ended = runCli(
    ['proxy', ...args],
    {
      out: (text) => {
        output.out += text
      },
      error: (text) => {
        output.error += text
      },
    },
    { stopped: () => stop.signal },
  )
  onTestFinished(async () => {
    stop.abort()
    process.emit('SIGTERM')
    await ended
  })
  return { output, ended, stop: () => stop.abort() }
}

/** Waits until the proxy printed so many addresses, and returns their ports. */
async function ports({ output }: Pick<ReturnType<typeof start>, 'output'>, count = 1): Promise<number[]> {
  const found = () =>
    [...output.out.matchAll(/^listening on 127\.0\.0\.1:(\d+)/gm)].map(([, port]) => Number(port))
  await untilDone(() => expect(found()).toHaveLength(count))
  return found()
}

const logIn = async (options: Parameters<typeof createConnection>[0] & object) => {
  const right = { user: 'app', password: PASSWORD, database: 'app', connectTimeout: 60_000 }
  const connection = await createConnection({ ...right, ...options })
  onTestFinished(() => connection.destroy())
  return connection
}
const rejection = (options: Parameters<typeof logIn>[0]) =>
  logIn(options).then(
    () => undefined,
    (error) => error,
  )
const one = ['--listen', '127.0.0.1:0']
const target = () => targetOptions(aurora)
const withPassword = () => ['--password-file', pathOf('password')]

describe('the password', () => {
  test('printed: a one-time one, on standard output alone', async () => {
    const proxy = start(...target(), ...one)
    const [port] = await ports(proxy)
    const [, password = ''] = /^password (\S+)$/m.exec(proxy.output.out) ?? []
    await logIn({ port, password })
    expect(proxy.output.error).not.toContain(password)
  })

  test.each([
    ['readable by others', 0o644, PASSWORD, 'chmod 600'],
    ['short', 0o600, 'secret', 'fewer than 16 characters'],
  ])('a file that is %s: refused, and its content is not shown', async (_what, mode, text, said) => {
    await write('password', text)
    await chmod(pathOf('password'), mode)
    const { ended, output } = start(...target(), ...one, ...withPassword())
    expect(await ended).toBe(2)
    expect(output.error).toContain(said)
    expect(output.error).not.toContain(`${text} `)
  })
})

describe('where it listens', () => {
  test('an address that other machines reach: only with a certificate', async () => {
    const { ended, output } = start(...target(), '--listen', '0.0.0.0:0')
    expect(await ended).toBe(2)
    expect(output.error).toContain('--tls-cert and --tls-key')
  })

  test('with a certificate: TLS or 3159', async () => {
    const { ca, valid } = await createCertificates('localhost')
    await write('cert.pem', valid.cert)
    await write('key.pem', valid.key)
    const tls = ['--tls-cert', pathOf('cert.pem'), '--tls-key', pathOf('key.pem')]
    const proxy = start(...target(), ...withPassword(), '--listen', '0.0.0.0:0', ...tls)
    await untilDone(() => expect(proxy.output.out).toContain('listening'))
    const port = Number(/listening on 0\.0\.0\.0:(\d+)/.exec(proxy.output.out)?.[1])
    expect(await rejection({ host: '127.0.0.1', port })).toMatchObject({ errno: 3159 })
    const connection = await logIn({ host: 'localhost', port, ssl: { ca, verifyIdentity: true } as object })
    expect(await connection.query('SELECT 1 AS one')).toMatchObject([[{ one: 1 }], {}])
  })

  test('a Unix socket: for its owner alone, replaces that of a killed process, gone at the end', async () => {
    const socketPath = pathOf('proxy.sock')
    const busyServer = createServer().listen(socketPath)
    await untilDone(() => expect(existsSync(socketPath)).toBe(true))
    const busy = start(...target(), '--socket', socketPath)
    expect(await busy.ended).toBe(1)
    expect(busy.output.error).toContain('in use by another process')
    busyServer.close()
    // It had no time to remove its file.
    const killed = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`
    await promisify(execFile)(process.execPath, ['-e', killed, socketPath]).catch(() => {})
    expect(existsSync(socketPath)).toBe(true)
    const proxy = start(...target(), ...withPassword(), '--socket', socketPath)
    await untilDone(() => expect(proxy.output.out).toContain('listening'))
    await (await logIn({ socketPath })).end()
    proxy.stop()
    expect(await proxy.ended).toBe(0)
    expect(existsSync(socketPath)).toBe(false)
  })

  test.each([
    ['a path that is too long', () => ['--socket', pathOf('x'.repeat(120))], 1, 'the system accepts at most'],
    ['a file that is no socket', () => ['--socket', pathOf('ca.pem')], 1, 'no socket'],
    [
      'a folder that is missing',
      () => ['--socket', pathOf('none/s')],
      1,
      /there is no folder \S+none\. Create it/,
    ],
    [
      'a folder that is a file',
      () => ['--socket', pathOf('ca.pem/s')],
      1,
      /there is no folder \S+ca\.pem\. Create it/,
    ],
    ['an address and a path', () => [...one, '--socket', pathOf('s')], 2, 'are both given'],
    ['no address', () => [], 2, '--listen or --socket is required.'],
    ['a certificate alone', () => [...one, '--tls-cert', pathOf('ca.pem')], 2, '--tls-key is missing'],
    ['a key alone', () => [...one, '--tls-key', pathOf('ca.pem')], 2, '--tls-cert is missing'],
    ['no password file', () => [...one, '--password-file', '/nope'], 2, '--password-file: /nope cannot be'],
  ])('%s: a clear error', async (_what, where, status, said) => {
    const { ended, output } = start(...target(), ...where())
    expect(await ended).toBe(status)
    expect(output.error).toMatch(said)
  })

  test('a port that is taken: a clear error', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await untilDone(() => expect(server.listening).toBe(true))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const { ended, output } = start(...target(), '--listen', `127.0.0.1:${port}`)
    expect(await ended).toBe(1)
    expect(output.error).toContain('(EADDRINUSE)')
  })
})

test('--redis: two proxies share one limit by a real Redis', async () => {
  const server = await RedisServer.start()
  onTestFinished(() => server.close())
  const redis = ['--redis', `redis://127.0.0.1:${server.port}`]
  for (let programs = 0; programs < 2; programs += 1) {
    const proxy = startProgram(['proxy', ...target(), ...withPassword(), ...one, ...redis, '--limit', '7'])
    const [port] = await ports(proxy)
    await logIn({ port })
  }
  const key = `${aurora.hostname}:${aurora.port}`
  const { out } = await runProgram(['fleet', key, ...redis, '--json'])
  expect(JSON.parse(out)).toMatchObject({ limit: 7, processes: 2 })
})

describe('a config file', () => {
  const endpoint = (name: string, more: object = {}) => {
    const { host, port, hostname } = aurora
    const paths = { ca: 'ca.pem', passwordFile: 'password' }
    return { name, listen: '127.0.0.1:0', host, port, hostname, user: 'app', ...paths, ...more }
  }
  const config = (...endpoints: object[]) => write('proxy.json', JSON.stringify({ endpoints }))

  test('several endpoints and SIGHUP: one ends, and its sessions go on', async () => {
    await config(endpoint('first'), endpoint('second'))
    const proxy = start('--config', pathOf('proxy.json'))
    const [first, second] = await ports(proxy, 2)
    const session = await logIn({ port: second })
    await logIn({ port: first })
    await config(endpoint('first'))
    process.emit('SIGHUP')
    await untilDone(() => expect(proxy.output.error).toContain('config reloaded'))
    expect(await rejection({ port: second })).toMatchObject({ code: 'ECONNREFUSED' })
    expect(await session.query('SELECT 1 AS one')).toMatchObject([[{ one: 1 }], {}])
    await logIn({ port: first })
  })

  test('a change of the password file: the proxy reloads without a signal, and the new password counts', async () => {
    await config(endpoint('first'))
    const proxy = start('--config', pathOf('proxy.json'))
    await ports(proxy)
    await write('password', `${PASSWORD} of another day\n`)
    await untilDone(() => expect(proxy.output.error).toContain('config reloaded'))
    const port = (await ports(proxy, 2)).at(-1) as number
    expect(await rejection({ port })).toMatchObject({ errno: 1045 })
    await logIn({ port, password: `${PASSWORD} of another day` })
  })

  test('a mistake in it at a reload: reported, and nothing changes', async () => {
    await config(endpoint('first'))
    const proxy = start('--config', pathOf('proxy.json'))
    const [port] = await ports(proxy)
    await config(endpoint('first', { pasword: 'SECRET' }))
    process.emit('SIGHUP')
    await untilDone(() => expect(proxy.output.error).toContain('endpoints[0].pasword: is not known'))
    expect(proxy.output.error).not.toContain('SECRET')
    await logIn({ port })
  })

  test.each([
    ['--tls-cert', 'cert.pem'],
    ['--max-connections', '5'],
    ['--max-wait-ms', '1000'],
    ['--user', 'other'],
    ['--listen', '127.0.0.1:0'],
    ['--allow-local-infile'],
  ])('%s beside it: refused, because it would have no effect', async (...flag) => {
    await config(endpoint('first'))
    const { ended, output } = start('--config', pathOf('proxy.json'), ...flag)
    expect(await ended).toBe(2)
    expect(output.error).toContain(`${flag[0]}: it has no effect beside --config`)
  })

  test.each([
    ['{', 'is not JSON'],
    ['[]', 'expected an object'],
    ['{"endpoints":[]}', 'one or more'],
    ['{"endpoints":[{"host":"db"}]}', 'endpoints[0].user: is missing'],
    [
      '{"endpoints":[{"host":"db","user":"app","port":"3306"}]}',
      'endpoints[0].port: expected a whole number',
    ],
  ])('%s: refused', async (text, said) => {
    await write('proxy.json', text)
    const { ended, output } = start('--config', pathOf('proxy.json'))
    expect(await ended).toBe(2)
    expect(output.error).toContain(said)
  })
})

test('health: live, ready after a login that it makes, metrics; not ready with the reason', async () => {
  const proxy = start(...target(), ...withPassword(), ...one, '--health', '127.0.0.1:0')
  const [port] = await ports(proxy)
  const found = await until(() => /health on (\S+):/.exec(proxy.output.error)?.[1])
  const get = async (path: string) => {
    const response = await fetch(`${found}${path}`)
    return { status: response.status, text: await response.text() }
  }
  aurora.faults.set({ refuse: 'NotAuthorized' })
  expect(await get('/live')).toEqual({ status: 200, text: 'live\n' })
  expect(await get('/ready')).toMatchObject({ status: 503, text: expect.stringContaining('Access denied') })
  aurora.faults.clear()
  expect(await get('/ready')).toEqual({ status: 200, text: 'ready\n' })
  aurora.log.clear()
  expect((await get('/ready')).status).toBe(200)
  expect(aurora.log.connections).toBe(0)
  await logIn({ port })
  const { text } = await get('/metrics')
  expect(text).toMatch(/aurora_iam_proxy_logins_total\{endpoint="127\.0\.0\.1:0"\} 1/)
  expect(text).toMatch(/aurora_iam_proxy_connections\{endpoint="127\.0\.0\.1:0"\} 1/)
  expect((await get('/other')).status).toBe(404)
})

test('SIGTERM: open sessions end normally, and then the proxy', async () => {
  const proxy = start(...target(), ...withPassword(), ...one, '--drain-ms', '60000')
  const [port] = await ports(proxy)
  const session = await logIn({ port })
  proxy.stop()
  await untilDone(() => expect(proxy.output.error).toContain('draining'))
  expect(await session.query('SELECT 1 AS one')).toMatchObject([[{ one: 1 }], {}])
  await session.end()
  expect(await proxy.ended).toBe(0)
})

test('the log: what happened, in words', async () => {
  const proxy = start(...target(), ...withPassword(), ...one)
  const [port] = await ports(proxy)
  await (await logIn({ port })).end()
  await rejection({ port, password: 'wrong' })
  await untilDone(() => expect(proxy.output.error).toContain(' rejected '))
  expect(proxy.output.error).toMatch(/ login \S+ in \d+ ms$/m)
  expect(proxy.output.error).toMatch(/ close \S+ by client after \d+ ms$/m)
  expect(proxy.output.error).toMatch(/ rejected \S+: Access denied/)
  expect(proxy.output.error).not.toContain('=')
})

test('--json: the log is lines of JSON, without the password of clients', async () => {
  const proxy = start(...target(), ...withPassword(), ...one, '--json')
  const first = await until(() => /^.*listening.*$/m.exec(proxy.output.out)?.[0])
  const port = Number(JSON.parse(first).address.split(':')[1])
  await (await logIn({ port })).end()
  await untilDone(() => expect(proxy.output.out).toContain('"type":"close"'))
  const types = proxy.output.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).type)
  expect(types).toEqual(['listening', 'connect', 'login', 'close'])
  expect(proxy.output.out).not.toContain(PASSWORD)
})

afterEach(() => {
  vi.unstubAllEnvs()
})
