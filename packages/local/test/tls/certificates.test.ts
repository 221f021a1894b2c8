import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Certificates, createCertificates } from '../../src/tls/certificates.ts'
import type { KeyPair } from '../../src/tls/key-pair.ts'

const LONG_NAME = `${'long-'.repeat(10)}name.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com`
const NAMES = ['localhost', '127.0.0.1', '::1', LONG_NAME]

type Kind = Exclude<keyof Certificates, 'ca'>

let certificates: Certificates
let folder: string

beforeAll(async () => {
  certificates = await createCertificates(NAMES)
  folder = await mkdtemp(join(tmpdir(), 'local-certificates-'))
  await writeFile(join(folder, 'ca.pem'), certificates.ca)
})

afterAll(() => rm(folder, { recursive: true }))

/** Returns the error code of a Node client for a server with this key pair, or undefined if it trusts it. */
async function nodeClientError(pair: KeyPair, name: string): Promise<string | undefined> {
  const server = createServer({ ...pair, minVersion: 'TLSv1.2' }, (socket) => socket.end())
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await new Promise<void>((resolve, reject) => {
      const client = connect({
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        ca: certificates.ca,
        ...(isIP(name) === 0 && { servername: name }),
      })
      client.once('secureConnect', () => client.end(resolve)).once('error', reject)
    })
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/** Returns the verdict of `openssl verify`, at its strictest. */
async function opensslVerdict(pair: KeyPair, name: string): Promise<string> {
  const file = join(folder, 'server.pem')
  await writeFile(file, pair.cert)
  const nameOption = isIP(name) === 0 ? '-verify_hostname' : '-verify_ip'
  const command = ['verify', '-x509_strict', '-purpose', 'sslserver', nameOption, name]
  try {
    return (await promisify(execFile)('openssl', [...command, '-CAfile', join(folder, 'ca.pem'), file]))
      .stdout
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
}

describe('the valid certificate', () => {
  test.each(NAMES)('%s: OpenSSL trusts the certificate', async (name) => {
    expect(await opensslVerdict(certificates.valid, name)).toMatch(/: OK\n$/)
  })

  test.each(['localhost', '127.0.0.1', LONG_NAME])('%s: Node trusts the certificate', async (name) => {
    expect(await nodeClientError(certificates.valid, name)).toBeUndefined()
  })

  test('another name: the certificate is not for it', async () => {
    expect(await nodeClientError(certificates.valid, 'example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })
})

describe('a faulty certificate', () => {
  test.each<[Kind, string, RegExp]>([
    ['wrongName', 'ERR_TLS_CERT_ALTNAME_INVALID', /hostname mismatch/],
    ['expired', 'CERT_HAS_EXPIRED', /certificate has expired/],
    ['otherCa', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', /unable to get local issuer certificate/],
    ['selfSigned', 'DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed certificate/],
  ])('%s: rejected for that alone', async (kind, nodeCode, openssl) => {
    expect(await nodeClientError(certificates[kind], 'localhost')).toBe(nodeCode)
    const verdict = await opensslVerdict(certificates[kind], 'localhost')
    expect(verdict).toMatch(openssl)
    expect(verdict.match(/error \d+ at/g)).toHaveLength(1)
  })
})

test('two calls: two separate authorities', async () => {
  const other = await createCertificates(['localhost'])
  expect(await nodeClientError(other.valid, 'localhost')).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})
