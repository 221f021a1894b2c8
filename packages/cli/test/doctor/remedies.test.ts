import { createServer, type Server, type Socket } from 'node:net'
import { adapterIam } from '@aurora-iam/core/adapter'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { WireError } from '@aurora-iam/wire'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loginRemedies } from '../../src/doctor/login-remedies.ts'
import { networkRemedies } from '../../src/doctor/network-remedies.ts'
import { serverErrorRemedies } from '../../src/doctor/server-error-remedies.ts'
import { tlsRemedies } from '../../src/doctor/tls-remedies.ts'
import { inOptionWords, splitMessage } from '../../src/output/option-words.ts'
import { doctorArguments, prepareFor, run } from '../support.ts'

const aurora = await localAurora()
prepareFor(aurora)

const targetOf = (host: string) =>
  adapterIam({ region: undefined }).resolve({ host, port: 3306, user: 'app' })
const CLUSTER = targetOf('db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com')
const INSTANCE = targetOf('db.abcdefghijkl.eu-west-1.rds.amazonaws.com')
const PROXY = targetOf('p.proxy-abcdefghijkl.eu-west-1.rds.amazonaws.com')
const failure = (code: string) => Object.assign(new Error(code), { code })

async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onConnection)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

describe('servers in place of the database', () => {
  test.each([
    ['an SSH server', 'SSH-2.0-OpenSSH_9.2\r\n', /is an SSH server, not MySQL/],
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n', /is an HTTP server, not MySQL/],
    ['a server that is none of these', 'hello there, who are you?\r\n', /is not a MySQL server/],
  ])('%s: named, with the option to correct', async (_what, greeting, remedy) => {
    const port = await listen((socket) => socket.on('error', () => {}).write(greeting))
    const { status, out, verdicts } = await run(
      aurora,
      doctorArguments(aurora, { dial: `127.0.0.1:${port}` }),
    )
    expect(status).toBe(1)
    expect(verdicts).toMatchObject({ identity: 'ok', network: 'FAIL' })
    expect(out).toMatch(remedy)
    expect(out).toContain('--dial')
  })

  test('a tunnel whose far end closes: the finding is about the tunnel', async () => {
    const port = await listen((socket) => socket.on('error', () => {}).destroy())
    const { out } = await run(aurora, doctorArguments(aurora, { dial: `127.0.0.1:${port}` }))
    expect(out).toMatch(/a tunnel whose far end does not reach the database/)
  })
})

const DIRECT = {
  dialled: { host: CLUSTER.hostname, port: 3306 },
  isConnected: false,
  received: Buffer.alloc(0),
}
const TUNNEL = { ...DIRECT, dialled: { host: '127.0.0.1', port: 13_306 } }

test.each([
  ['ENOTFOUND', DIRECT, /No such name.*--host/],
  ['ENOTFOUND', TUNNEL, /No such name as 127.*--dial/],
  ['EAI_AGAIN', DIRECT, /resolver.*VPN/],
  ['ECONNREFUSED', DIRECT, /--port.*describe-db-instances/],
  ['ECONNREFUSED', TUNNEL, /Start the tunnel/],
  ['EHOSTUNREACH', DIRECT, /VPN.*--dial/],
  ['ENETUNREACH', DIRECT, /VPN.*--dial/],
  ['ECONNRESET', DIRECT, /--port/],
  ['ETIMEDOUT', DIRECT, /security group.*--dial/],
  ['ETIMEDOUT', TUNNEL, /Nothing answers at 127/],
  ['no answer', { ...DIRECT, isConnected: true }, /HTTP, PostgreSQL or TLS server.*--port/],
])('network, %s (case %#): what to do', (code, evidence, remedy) => {
  expect(networkRemedies(failure(code), CLUSTER, evidence).join(' ')).toMatch(remedy)
})

const OK = { clock: 'ok', hasCa: false } as const

test.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', CLUSTER, OK, /RDS in eu-west-1.*--ca/],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    CLUSTER,
    { ...OK, hasCa: true },
    /none of the authorities in --ca.*Leave --ca out/,
  ],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    PROXY,
    { ...OK, hasCa: true },
    /Amazon Trust Services: leave --ca out/,
  ],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', PROXY, OK, /not from Amazon Trust Services/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', CLUSTER, OK, /self-signed.*--ca/],
  ['CERT_HAS_EXPIRED', CLUSTER, OK, /modify-db-instance --ca-certificate-identifier/],
  ['CERT_HAS_EXPIRED', CLUSTER, { ...OK, clock: 'fail' }, /clock of this machine first/],
  ['CERT_NOT_YET_VALID', CLUSTER, OK, /clock of this machine is slow/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', CLUSTER, OK, /another server than db\.cluster.*--hostname/],
  ['ERR_WIRE_UNSUPPORTED', CLUSTER, OK, /no TLS.*--dial/],
  ['ECONNRESET', CLUSTER, OK, /closed the connection during TLS/],
] as const)('TLS, %s (case %#): what to do', (code, target, evidence, remedy) => {
  expect(tlsRemedies(failure(code), target, evidence).join(' ')).toMatch(remedy)
})

test.each([
  [1040, 'Too many connections', /Make the pools smaller/],
  [1040, 'IAM authentication rate limit exceeded', /RDS Proxy limits the rate/],
  [1040, 'Number simultaneous connections exceeded (100)', /RDS Proxy limits the rate/],
  [1524, "Plugin 'AWSAuthenticationPlugin' is not loaded", /enable-iam-database-authentication/],
  [3159, 'Connections using insecure transport are prohibited', /demands TLS/],
  [9501, 'Timed-out waiting to acquire database connection', /describe-db-proxy-targets/],
])('%i: %s', (errno, message, remedy) => {
  expect(serverErrorRemedies(errno, message).join(' ')).toMatch(remedy)
})

const denied = new WireError('ERR_WIRE_SERVER', 'Access denied', { errno: 1045, sqlState: '28000' })
const evidence = {
  dialled: undefined,
  arn: 'arn:aws:iam::1:user/me',
  nowMs: 0,
  clockMovedMs: 0,
  accepted: 0,
  acceptedAgoMs: undefined,
  recentLogins: 1,
  isRefusedEverywhere: false,
  claims: undefined,
  credentials: undefined,
}

test('1045 at RDS Proxy: both of its modes, and no advice that breaks the standard one', () => {
  const lines = loginRemedies(denied, { ...evidence, target: PROXY })
  const text = lines.join('\n')
  expect(text).toMatch(
    /dbuser:prx-RESOURCE_ID\/app[\s\S]*DefaultAuthScheme NONE[\s\S]*DefaultAuthScheme IAM_AUTH/,
  )
  expect(text).not.toMatch(/modify-db-cluster|modify-db-instance/)
  const [standard = ''] = text.split('End-to-end')
  expect(standard).not.toContain('CREATE USER')
})

test.each([
  ['a server that asks for another plugin', new WireError('ERR_WIRE_UNSUPPORTED', 'another plugin')],
  ['1251', new WireError('ERR_WIRE_SERVER', 'Client does not support it', { errno: 1251 })],
])('%s: the plugin for the user of a cluster, and the secret first at RDS Proxy', (_what, error) => {
  const [cluster = '', proxy = ''] = [CLUSTER, PROXY].map((target) =>
    loginRemedies(error, { ...evidence, target }).join('\n'),
  )
  expect(cluster).toContain("CREATE USER 'app' IDENTIFIED WITH AWSAuthenticationPlugin")
  const [standard = '', endToEnd = ''] = proxy.split('IAM_AUTH (end-to-end IAM)')
  expect(standard).toMatch(/IAMAuth REQUIRED[\s\S]*keeps its password/)
  expect(standard).not.toContain('CREATE USER')
  expect(endToEnd).toContain('CREATE USER')
})

test('1045 at an instance: the resource and the commands of both, the instance and the cluster', () => {
  const text = loginRemedies(denied, { ...evidence, target: INSTANCE }).join('\n')
  expect(text).toMatch(
    /describe-db-instances[\s\S]*dbuser:db-RESOURCE_ID\/app[\s\S]*dbuser:cluster-RESOURCE_ID\/app/,
  )
  expect(text).toMatch(/modify-db-instance[\s\S]*modify-db-cluster/)
})

test('1045 at a cluster: nothing of instances', () => {
  const text = loginRemedies(denied, { ...evidence, target: CLUSTER }).join('\n')
  expect(text).toContain('dbuser:cluster-RESOURCE_ID/app')
  expect(text).not.toMatch(/db-RESOURCE_ID|modify-db-instance/)
})

test('messages of the library: options of the command line, the remedy apart', () => {
  expect(inOptionWords('region: unknown. Give the Region of the database as `region`.')).toBe(
    '--region: unknown. Give the Region of the database as --region.',
  )
  expect(splitMessage('ca: not known. Download https://x.y/z.pem and pass its content as `ca`.')).toEqual({
    problem: '--ca: not known',
    remedies: ['Download https://x.y/z.pem and give the file as --ca.'],
  })
})
