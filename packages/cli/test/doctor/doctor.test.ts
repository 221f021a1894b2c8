import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { serveHttp } from '@aurora-iam/test-support/http-server'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { doctorArguments, LET_IN, prepareFor, run as runOn, sts } from '../support.ts'

const MINUTE_MS = 60_000

const aurora = await localAurora()
prepareFor(aurora)
const run = (...args: readonly string[]) => runOn(aurora, args)
const doctor = (options?: Record<string, string>) => run(...doctorArguments(aurora, options))

test('a login that works: each step is reported, and the login counts once', async () => {
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(0)
  expect(verdicts).toMatchObject({
    name: 'ok',
    token: 'ok',
    clock: 'ok',
    identity: 'ok',
    network: 'ok',
    TLS: 'ok',
    login: 'ok',
  })
  expect(out).toContain(`${aurora.hostname}:${aurora.port} is the writer endpoint of a cluster`)
  expect(out).toContain('arn:aws:sts::123456789012:assumed-role/app/i-0')
  expect(out).toMatch(/TLSv1\.3; the certificate is for .*, until 2/)
  expect(aurora.log.logins).toHaveLength(1)
})

describe.each([
  ['slow', 20 * MINUTE_MS, '20 min behind', 'ExpiredToken'],
  ['fast', -20 * MINUTE_MS, '20 min ahead of', 'InvalidToken'],
] as const)('the clock of this machine is 20 minutes %s', (_how, aheadMs, seen, reason) => {
  beforeEach(() => {
    aurora.setClock(() => Date.now() + aheadMs)
  })

  test.each([
    ['answers', LET_IN],
    ['refuses', { code: 'SignatureDoesNotMatch', message: 'Signature expired' }],
  ])('AWS STS %s: the doctor reports the clock, and reports it first', async (_what, answer) => {
    await sts(answer, aheadMs)
    const { status, out, verdicts } = await doctor()
    expect(status).toBe(1)
    expect(verdicts).toMatchObject({ clock: 'FAIL', network: 'ok', TLS: 'ok', login: 'FAIL' })
    expect(out).toContain(`${seen} that of AWS STS`)
    expect(out).toMatch(/login +1045 .*\n.*\n +\(1\) The clock of this machine is wrong/)
    expect(aurora.log.refusals).toMatchObject([{ reason }])
  })
})

test('a rejected login: the server’s message, the likely reasons, the permission and the user', async () => {
  aurora.faults.set({ refuse: 'NotAuthorized' })
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(1)
  expect(verdicts).toMatchObject({ clock: 'ok', identity: 'ok', TLS: 'ok', login: 'FAIL' })
  expect(out).toMatch(/login +1045 \(28000\): Access denied for user 'app'/)
  expect(out).toContain(') arn:aws:sts::123456789012:assumed-role/app/i-0 has no permission to connect.')
  expect(out).toContain(`arn:aws:rds-db:${aurora.region}:123456789012:dbuser:cluster-RESOURCE_ID/app`)
  expect(out).toContain("CREATE USER 'app' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;")
})

test.each([
  ['no TLS', { tls: 'absent' }, 'does not offer TLS'],
  ['a certificate for another name', { certificate: 'wrong-name' }, 'does not match certificate'],
  ['a certificate that has ended', { certificate: 'expired' }, 'expired'],
] as const)('a server with %s: it gets no token', async (_what, fault, seen) => {
  aurora.faults.set(fault)
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(1)
  expect(verdicts).toMatchObject({ network: 'ok', TLS: 'FAIL' })
  expect(verdicts).not.toHaveProperty('login')
  expect(out).toContain(seen)
  expect(aurora.log.tokensReceived).toBe(0)
})

test.each([
  ['before it greets', 'before-greeting', 'network', () => aurora.openConnections === 1],
  ['when it has the token', 'after-token', 'login', () => aurora.log.tokensReceived === 1],
] as const)(
  'a server that is unresponsive %s: time-out after 10 seconds',
  async (_when, hang, check, isSilent) => {
    aurora.faults.set({ hang })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const examination = doctor()
    await until(isSilent)
    vi.advanceTimersByTime(10_000)
    const { status, out, verdicts } = await examination
    expect(status).toBe(1)
    expect(verdicts).toMatchObject({ identity: 'ok', [check]: 'FAIL' })
    expect(out).toContain('no answer within 10000 ms')
  },
)

test('a Region without known certificate authorities: the bundle to pass is named', async () => {
  const { status, out, verdicts } = await run(
    'doctor',
    ...['--host', 'db.cluster-abc.us-gov-west-1.rds.amazonaws.com', '--user', 'app'],
  )
  expect(status).toBe(1)
  expect(verdicts).toMatchObject({ name: 'ok', TLS: 'FAIL' })
  expect(out).toContain('us-gov-west-1')
})

test.each([
  [1040, 'Too many connections', 'It takes no more connections now'],
  [
    1130,
    "Host '10.0.1.7' is not allowed to connect to this MySQL server",
    'No user may log in from the address',
  ],
  [1129, "Host '10.0.1.7' is blocked because of many connection errors", 'The database blocks this address'],
])('an error in place of the greeting: shown with its number, %i', async (errno, message, remedy) => {
  aurora.faults.set({ error: { errno, message } })
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(1)
  expect(verdicts).toMatchObject({ identity: 'ok', network: 'FAIL' })
  const [, after] = out.split(`network      ${errno}: ${message}\n`)
  expect(after?.trim()).toMatch(new RegExp(`^${remedy}`))
})

describe('text of other programs', () => {
  const FORGED = '\u001b[2K\u001b[31mred\u009b0m\u202e\r\u2028\nok       login        app is logged in'
  const SHOWN =
    '\\u{1b}[2K\\u{1b}[31mred\\u{9b}0m\\u{202e}\\u{d}\\u{2028}\\u{a}ok       login        app is logged in\n'

  test('a server that is not verified yet: what it sends stays in its line', async () => {
    aurora.faults.set({ error: { errno: 1129, message: FORGED } })
    const { out, verdicts } = await doctor()
    expect(verdicts).not.toHaveProperty('login')
    expect(out).toContain(`1129: ${SHOWN}`)
  })

  test('an answer in place of AWS STS: it stays in its line, also where a remedy repeats it', async () => {
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const arn = `arn:aws:iam::1:user/&#x1b;[31mred&#10;ok       login        app is logged in`
    const answer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <GetCallerIdentityResult><Arn>${arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
    vi.stubEnv('AWS_ENDPOINT_URL_STS', await serveHttp((_request, response) => response.end(answer)))
    const { out, verdicts } = await doctor()
    expect(verdicts).toMatchObject({ identity: 'ok', login: 'FAIL' })
    const shown = /arn:aws:iam::1:user\/\\u\{1b\}\[31mred\\u\{a\}ok/g
    expect(out.match(shown)).toHaveLength(2)
    expect(out).not.toMatch(/[^\n\P{C}]/u)
  })
})

test('no server at the address: the network check fails, with the remedy', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const { status, out, verdicts } = await doctor({ dial: `127.0.0.1:${port}` })
  expect(status).toBe(1)
  expect(verdicts).toMatchObject({ identity: 'ok', network: 'FAIL' })
  expect(out).toContain('ECONNREFUSED')
})

test('a name that no token can be signed for: the doctor ends there', async () => {
  const { status, out, verdicts } = await run('doctor', '--host', '10.0.0.1', '--user', 'app')
  expect(status).toBe(1)
  expect(verdicts).toEqual({ name: 'FAIL' })
  expect(out).toContain('10.0.0.1 (an IP address)')
})

test('no AWS credentials: the doctor ends there', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    vi.stubEnv(name, undefined)
  const { status, verdicts } = await doctor()
  expect(status).toBe(1)
  expect(verdicts).toEqual({ name: 'ok', token: 'FAIL' })
  expect(aurora.log.connections).toBe(0)
})

test('AWS STS that cannot be reached: no FAIL, because the login does not need it', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:1')
  const { status, verdicts } = await doctor()
  expect(status).toBe(0)
  expect(verdicts).toMatchObject({ clock: 'unknown', identity: 'unknown', login: 'ok' })
})

test.each([
  ['InvalidClientTokenId', 'The security token included in the request is invalid'],
  ['ExpiredToken', 'The security token included in the request is expired'],
  ['SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided'],
])('credentials that AWS STS rejects: FAIL (%s)', async (code, message) => {
  await sts({ code, message })
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(1)
  expect(verdicts).toMatchObject({ clock: 'ok', identity: 'FAIL' })
  expect(out).toContain(message)
})

test.each([
  ['Throttling', 'Rate exceeded'],
  ['AccessDenied', 'no VPC endpoint policy allows the sts:GetCallerIdentity action'],
])('AWS STS that rejects for another reason than the credentials: no FAIL (%s)', async (code, message) => {
  await sts({ code, message })
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(0)
  expect(verdicts).toMatchObject({ clock: 'ok', identity: 'unknown', login: 'ok' })
  expect(out).toContain(`HTTP 403: ${message}`)
})

test.each([403, 407])('a proxy that answers in place of AWS STS: no FAIL (%i)', async (answer) => {
  const proxy = await serveHttp((_request, response) =>
    response.writeHead(answer).end('<html>no\nway</html>'),
  )
  vi.stubEnv('AWS_ENDPOINT_URL_STS', proxy)
  const { status, out, verdicts } = await doctor()
  expect(status).toBe(0)
  expect(verdicts).toMatchObject({ identity: 'unknown', login: 'ok' })
  expect(out).toMatch(
    new RegExp(`^unknown  identity .*\\(HTTP ${answer}: .*\\); the login does not need it$`, 'm'),
  )
})

test.each([
  ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIEvSECRET'],
  ['credentials', 'AKIDEXAMPLE SECRET'],
  ['nothing', ''],
])(
  '--ca with a file that holds %s in place of certificates: the file is named, its content is not shown',
  async (_what, text) => {
    await write('other.pem', text)
    const { status, out, error } = await doctor({ ca: pathOf('other.pem') })
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(error).toBe(`aurora-iam: --ca: ${pathOf('other.pem')} has no certificate in PEM\n`)
  },
)

describe('arguments', () => {
  test.each([
    [['--help'], 'Commands:'],
    [[], 'Commands:'],
    [['-h'], 'Commands:'],
    [['doctor', '--help'], '--dial <host:port>'],
    [['doctor', '-h'], '--dial <host:port>'],
  ])('%j: help', async (args, shown) => {
    const { status, out } = await run(...args)
    expect(status).toBe(0)
    expect(out).toContain(shown)
  })

  test('--version: the one of the package', async () => {
    const { version } = createRequire(import.meta.url)('../../package.json')
    expect(await run('--version')).toMatchObject({ status: 0, out: `${version}\n` })
  })

  test.each([
    [['patient'], "unknown command 'patient'"],
    [['doctor', '--user', 'app'], '--host is missing.'],
    [['doctor', '--host', 'db'], '--user is missing.'],
    [['doctor', '--hots', 'db'], "unknown option '--hots' (Did you mean --host?)"],
    [['doctor', '--host', 'db', '--user', 'app', '--dial', 'here'], '--dial: expected a host and a port'],
    [['doctor', '--host', 'db', '--user', 'app', '--ca', '/nowhere'], '--ca: ENOENT'],
    [['doctor', '--host', 'db', '--user', 'app', '--region', 'Mars'], 'region: '],
    [
      ['doctor', '--host', 'db.cluster-abc.eu-west-1.rds.amazonaws.com', '--user', 'app', '--port', 'x'],
      'port: ',
    ],
    [
      ['doctor', '--host', 'db.cluster-abc.eu-west-1.rds.amazonaws.com', '--user', 'app', '--port', ''],
      'port: ',
    ],
    [
      ['doctor', '--host', 'db.cluster-abc.eu-west-1.rds.amazonaws.com', '--user', 'app', '--port', '0x10'],
      'port: ',
    ],
  ])('%j: refused before anything is asked', async (args, said) => {
    const { status, out, error } = await run(...args)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(error).toContain(said)
  })
})

describe('after the login', () => {
  test('an accepted login: the user, the version, the clock and the connections of the server are shown', async () => {
    const { status, out, verdicts } = await doctor()
    expect(status).toBe(0)
    expect(Object.keys(verdicts)).toEqual(
      expect.arrayContaining(['user', 'version', 'server', 'connections']),
    )
    expect(out).toMatch(/^ok +server clock +\d+ s from the clock of this machine$/m)
    expect(out).toMatch(/^ok +connections +max_connections \d+, \d+ others open now/m)
  })

  test('a fleet that does not fit into max_connections: FAIL', async () => {
    const { status, out, verdicts } = await doctor({ processes: '1000', pool: '100' })
    expect(status).toBe(1)
    expect(verdicts).toMatchObject({ login: 'ok', connections: 'FAIL' })
    expect(out).toContain('1000 processes with 100 connections need 100000')
  })

  test.each([
    ['db.t3.small', 'FAIL', 'has no IAM logins'],
    ['db.t2.micro', 'ok', 'about 10 logins a second'],
    ['db.r6g.large', 'ok', 'has IAM logins'],
  ])('--instance-class %s: %s', async (name, verdict, said) => {
    const { out, verdicts } = await doctor({ 'instance-class': name })
    expect(verdicts).toMatchObject({ class: verdict })
    expect(out).toContain(said)
  })

  test('--json: the findings, and whether each check passed', async () => {
    const { status, out } = await run(...doctorArguments(aurora), '--json')
    const { ok, findings } = JSON.parse(out)
    expect([status, ok]).toEqual([0, true])
    expect(findings.map(({ check }: { check: string }) => check)).toContain('login')
  })
})

describe('plan --host', () => {
  const plan = (...more: string[]) =>
    run('plan', '--processes', '4', ...doctorArguments(aurora).slice(1), ...more)

  test('the facts of the doctor: max_connections and the time of a login come from the database', async () => {
    const { status, out, error } = await plan('--json')
    expect({ status, error }).toMatchObject({ status: 0 })
    const [, most, open] = /max_connections (\d+), (\d+) open now, a login takes \d+ ms/.exec(error) ?? []
    expect(JSON.parse(out).fleet.maxConnections).toBe(Number(most) - Number(open))
    expect(aurora.log.logins).toHaveLength(1)
    await until(() => aurora.openConnections === 0)
  })

  test('a database that rejects the login: its error, and the command that finds the reason', async () => {
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const { status, out, error } = await plan()
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(error).toMatch(
      /^aurora-iam: The database was not asked \(1045\): Access denied.* Run aurora-iam doctor/,
    )
  })
})
