import { createHash, webcrypto } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import 'reflect-metadata'
import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { createCertificates } from '@aurora-iam/test-support/certificates'
import { untilDone } from '@aurora-iam/test-support/until'
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { buildProgram, runProgram } from '../built-program.ts'
import { run } from '../run.ts'

isolateAwsEnvironment()
buildProgram()
beforeEach(() => vi.stubEnv('XDG_DATA_HOME', pathOf('data')))

const DAY_MS = 86_400_000
const { ca, valid } = await createCertificates('localhost')

async function root(name: string, days: number, isAuthority = true): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 400 * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    keys: await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(isAuthority, 0, true)],
  })
  return `${certificate.toString('pem')}\n`
}
const nameOf = (region: string) => `Amazon RDS ${region} Root CA RSA2048 G1`

/** Serves `text` over HTTPS, and runs `ca` with the rest of the arguments as a process that trusts the server. */
async function fetchFrom(text: string, ...args: string[]) {
  const server = createServer(valid, (_request, response) => void response.end(text)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await untilDone(() => expect(server.listening).toBe(true))
  await write('server-ca.pem', ca)
  vi.stubEnv('NODE_EXTRA_CA_CERTS', pathOf('server-ca.pem'))
  const { port } = server.address() as { port: number }
  return runProgram(['ca', '--url', `https://localhost:${port}/bundle.pem`, ...args])
}

test('the roots of a live Region: stored, and later commands find them', async () => {
  const bundle = [
    await root(nameOf('ap-east-2'), 1000),
    await root(nameOf('ap-east-2').replace('RSA2048', 'ECC384'), -1),
    await root(nameOf('eu-west-1'), 1000),
    await root('Another CA', 1000),
  ]
  const { status, out, error } = await fetchFrom(bundle.join(''), '--region', 'ap-east-2')
  expect({ status, error }).toEqual({ status: 0, error: '' })
  expect(out).toContain(`${nameOf('ap-east-2')}, until`)
  const stored = await readFile(pathOf('data/aurora-iam/ap-east-2-bundle.pem'), 'utf8')
  expect(stored.match(/BEGIN CERTIFICATE/g)).toHaveLength(1)
  const doctor = ['doctor', '--host', 'db.cluster-abc.ap-east-2.rds.amazonaws.com', '--user', 'app']
  expect((await run([...doctor, '--dial', '127.0.0.1:1'])).out).not.toContain('aurora-iam ca')
})

test('a root that expires in less than 90 days: stored, with a warning', async () => {
  const { status, error } = await fetchFrom(await root(nameOf('ap-east-2'), 50), '--region', 'ap-east-2')
  expect(status).toBe(0)
  expect(error).toMatch(/^warning: A root of ap-east-2 expires in (49|50) days/)
})

test.each<[string, () => Promise<string> | string, string]>([
  ['no certificate', () => '<html>', 'no root of Amazon RDS for ap-east-2'],
  [
    'the roots of another Region',
    () => root(nameOf('eu-west-1'), 1000),
    'no root of Amazon RDS for ap-east-2',
  ],
  ['an expired root', () => root(nameOf('ap-east-2'), -1), 'no root of Amazon RDS for ap-east-2'],
  [
    'a certificate that is no authority',
    () => root(nameOf('ap-east-2'), 1000, false),
    'no root signed as itself',
  ],
  [
    'bytes that do not parse',
    () => '-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----',
    'cannot be parsed',
  ],
])('a file with %s: exit status 1, and nothing is written', async (_what, text, said) => {
  const { status, error } = await fetchFrom(await text(), '--region', 'ap-east-2')
  expect(status).toBe(1)
  expect(error).toContain(said)
  expect(existsSync(pathOf('data/aurora-iam'))).toBe(false)
})

test('--sha256: the right digest is accepted, another one is not', async () => {
  const text = await root(nameOf('ap-east-2'), 1000)
  const digest = createHash('sha256').update(text).digest('hex')
  expect((await fetchFrom(text, '--region', 'ap-east-2', '--sha256', digest)).status).toBe(0)
  const { status, error } = await fetchFrom(`${text} `, '--region', 'ap-east-2', '--sha256', digest)
  expect(status).toBe(1)
  expect(error).toContain('another digest')
})

test.each([
  [['ca'], '--region: give a Region, or --all'],
  [['ca', '--region', 'Mars'], '--region: expected a Region'],
  [['ca', '--region', 'us-iso-east-1'], '--url'],
  [['ca', '--region', 'ap-east-2', '--url', 'http://localhost/'], 'https://'],
  [['ca', '--region', 'ap-east-2', '--url', 'https://app:secret@localhost/'], 'without a user'],
])('%j: exit status 2', async (args, said) => {
  const { status, error } = await run(args)
  expect(status).toBe(2)
  expect(error).toContain(said)
  expect(error).not.toContain('secret')
})

test('the error for missing roots: it names the command that gets them', async () => {
  const { out } = await run([
    'doctor',
    '--host',
    'db.cluster-abc.ap-east-2.rds.amazonaws.com',
    '--user',
    'app',
  ])
  expect(out).not.toContain('X-Amz-')
  const { error } = await run([
    'exec',
    '--host',
    'db.cluster-abc.ap-east-2.rds.amazonaws.com',
    '--user',
    'app',
    '--',
    'true',
  ])
  expect(error).toContain('npx aurora-iam ca --region ap-east-2')
})
