import { describe, expect, test } from 'vitest'
import { adapterIam } from '../../src/adapter.ts'
import { accessDeniedHint, tokenNotRequestedHint } from '../../src/login/access-denied-hint.ts'
import { type DenialCause, type DenialEvidence, rankDenialCauses } from '../../src/login/denial-causes.ts'

const HOUR_MS = 3_600_000
const NOW = Date.parse('2026-11-23T12:00:00Z')
const R = 'abcdefghijkl.eu-west-1.rds.amazonaws.com'

const HOSTS = {
  cluster: `db.cluster-${R}`,
  'cluster-ro': `db.cluster-ro-${R}`,
  'cluster-custom': `db.cluster-custom-${R}`,
  instance: `db.${R}`,
  proxy: `p.proxy-${R}`,
  'proxy-endpoint': `e.endpoint.proxy-${R}`,
} as const

const GLOBAL = 'bank.global-abcdefghijkl.global.rds.amazonaws.com'

function targetOf(hostname: string, port = 3306) {
  const region = hostname.includes('eu-west-1') ? undefined : 'eu-west-1'
  return adapterIam({ hostname, region }).resolve({ host: hostname, port, user: 'app' })
}

const CREDENTIALS = {
  expiresMs: NOW + HOUR_MS,
  endedMs: undefined,
  isTemporary: true,
  ageMs: 60_000,
  clockAheadOfStsMs: undefined,
}
const TEMPORARY = { ...CREDENTIALS, expiresMs: Number.POSITIVE_INFINITY }

function evidenceOf(
  hostname: string,
  planted: Partial<DenialEvidence> & { port?: number } = {},
): DenialEvidence {
  return {
    target: targetOf(hostname, planted.port),
    dialled: { host: hostname, port: 3306 },
    nowMs: NOW,
    clockMovedMs: 0,
    accepted: 0,
    acceptedAgoMs: undefined,
    recentLogins: 1,
    isRefusedEverywhere: false,
    credentials: CREDENTIALS,
    claims: undefined,
    ...planted,
  }
}

const CLAIMS = { username: 'app', region: 'eu-west-1', port: 3306, expiresAt: new Date(NOW + HOUR_MS) }
const TUNNEL = { port: 13_306, dialled: { host: '127.0.0.1', port: 13_306 } }
type Planted = readonly [what: string, planted: Parameters<typeof evidenceOf>[1], cause: DenialCause]

const PLANTED: readonly Planted[] = [
  ['nothing is known', {}, 'permission'],
  [
    'the clock differs from that of STS',
    { credentials: { ...CREDENTIALS, clockAheadOfStsMs: 60_000 } },
    'clock',
  ],
  ['the clock was set', { clockMovedMs: -60_000 }, 'clock'],
  [
    'the credentials last longer than any',
    { credentials: { ...CREDENTIALS, expiresMs: NOW + 40 * HOUR_MS } },
    'clock',
  ],
  ['all were rejected', { isRefusedEverywhere: true }, 'clock'],
  [
    'the SDK still uses expired credentials',
    { credentials: { ...CREDENTIALS, endedMs: NOW - 1 } },
    'credentials-expired',
  ],
  [
    'old credentials without an expiration',
    { credentials: { ...TEMPORARY, ageMs: HOUR_MS } },
    'credentials-expired',
  ],
  [
    'such credentials that worked',
    { credentials: TEMPORARY, accepted: 9, acceptedAgoMs: HOUR_MS, recentLogins: 1 },
    'withdrawn',
  ],
  ['a tunnel', TUNNEL, 'port'],
  ['accepted a moment ago', { accepted: 9, acceptedAgoMs: 59_999 }, 'throttled'],
  [
    'a burst of logins that worked before',
    { accepted: 9, acceptedAgoMs: HOUR_MS, recentLogins: 20 },
    'throttled',
  ],
  ['a burst of first logins', { recentLogins: 20 }, 'throttled'],
  ['first logins that are no burst', { recentLogins: 19 }, 'permission'],
  ['accepted a minute ago', { accepted: 9, acceptedAgoMs: 60_000, recentLogins: 19 }, 'withdrawn'],
  ['accepted an hour ago', { accepted: 9, acceptedAgoMs: HOUR_MS }, 'withdrawn'],
]

describe.each(Object.entries(HOSTS))('%s', (_kind, hostname) => {
  test.each(PLANTED)('%s: the cause comes first', (_what, planted, cause) => {
    const evidence = evidenceOf(hostname, planted)
    expect(rankDenialCauses(evidence)[0]).toBe(cause)
    expect(accessDeniedHint(evidence).message).toContain('(1) ')
  })

  test("a token provider's token of another host or user: it comes first", () => {
    for (const claims of [
      { ...CLAIMS, hostname: 'other' },
      { ...CLAIMS, hostname, username: 'other' },
    ]) {
      const evidence = evidenceOf(hostname, { claims, credentials: undefined })
      expect(rankDenialCauses(evidence)[0]).toBe('foreign-token')
      expect(accessDeniedHint(evidence).message).toMatch(/\(1\) the token of `tokenProvider` is for another/)
    }
  })
})

test.each([
  ['another host', { hostname: 'other' }, `for another host than ${HOSTS.cluster}`],
  ['another port', { port: 3307 }, 'for another port than 3306'],
  ['another user', { username: 'other' }, 'for another user than app'],
  ['another Region', { region: 'eu-west-2' }, 'for another Region than eu-west-1'],
  ['a time that is over', { expiresAt: new Date(NOW) }, 'only valid until 2026-11-23T12:00:00.000Z'],
])("a token provider's token for %s: the sentence names that alone", (_what, difference, sentence) => {
  const claims = { ...CLAIMS, hostname: HOSTS.cluster, ...difference }
  const evidence = evidenceOf(HOSTS.cluster, { claims, credentials: undefined })
  expect(accessDeniedHint(evidence).message).toContain(
    `(1) the token of \`tokenProvider\` is ${sentence}; (2)`,
  )
})

test("a token provider's token for this login: not suspected", () => {
  const claims = { ...CLAIMS, hostname: HOSTS.cluster, expiresAt: new Date(NOW + 1) }
  expect(rankDenialCauses(evidenceOf(HOSTS.cluster, { claims }))).not.toContain('foreign-token')
  const unlimited = { ...claims, expiresAt: undefined }
  expect(rankDenialCauses(evidenceOf(HOSTS.cluster, { claims: unlimited }))).not.toContain('foreign-token')
  // Which Region the login is for is not known yet.
  const target = { ...targetOf(HOSTS.cluster), region: undefined }
  expect(rankDenialCauses(evidenceOf(HOSTS.cluster, { claims, target }))).not.toContain('foreign-token')
})

test('a user who was accepted before: what keeps a user out from the beginning is not on the list', () => {
  const causes = rankDenialCauses(evidenceOf(HOSTS.cluster, { accepted: 9, acceptedAgoMs: HOUR_MS }))
  expect(causes).toEqual(['withdrawn', 'throttled', 'clock'])
})

test.each([
  [{ credentials: { ...CREDENTIALS, clockAheadOfStsMs: 119_000 } }, '119 s ahead of that of AWS STS'],
  [{ credentials: { ...CREDENTIALS, clockAheadOfStsMs: -120_000 } }, '2 min behind that of AWS STS'],
  [{ clockMovedMs: HOUR_MS }, 'forward by 60 min since the start (or the machine slept that long) and now'],
  [{ clockMovedMs: -HOUR_MS, accepted: 1 }, 'back by 60 min since a login was last accepted and now'],
])('a wrong clock, %o: the sentence says by how much', (planted, sentence) => {
  expect(accessDeniedHint(evidenceOf(HOSTS.cluster, planted)).message).toContain(sentence)
})

test('a login on an open connection: no port was dialled, and none is suspected', () => {
  expect(rankDenialCauses(evidenceOf(HOSTS.cluster, { dialled: undefined }))).not.toContain('port')
})

test('another port of the database itself was dialled than the signed one: the port first', () => {
  const dialled = { host: HOSTS.cluster, port: 3307 }
  const evidence = evidenceOf(HOSTS.cluster, { dialled })
  expect(rankDenialCauses(evidence)[0]).toBe('port')
  expect(accessDeniedHint(evidence).message).toContain('signed for port 3306, and port 3307 was dialled')
})

test('a tunnel on another port than the signed one: the port last, and not once a login was accepted', () => {
  const dialled = { host: '127.0.0.1', port: 13_306 }
  const causes = rankDenialCauses(evidenceOf(HOSTS.cluster, { dialled }))
  expect(causes.slice(-2)).toEqual(['clock', 'port'])
  const accepted = { dialled, accepted: 1, acceptedAgoMs: HOUR_MS }
  expect(rankDenialCauses(evidenceOf(HOSTS.cluster, accepted))).not.toContain('port')
})

test('the global writer: the Region first, with the command that returns it', () => {
  const evidence = evidenceOf(GLOBAL)
  expect(rankDenialCauses(evidence)[0]).toBe('region')
  expect(accessDeniedHint(evidence).message).toContain('aws rds describe-global-clusters')
})

test('a CNAME as the signed name: the name first, then the Region', () => {
  const evidence = evidenceOf('db.bank.internal')
  expect(rankDenialCauses(evidence).slice(0, 2)).toEqual(['name', 'region'])
  expect(accessDeniedHint(evidence).message).not.toContain('describe-global-clusters')
})

test.each([
  [HOUR_MS - 1, 'have no expiration, and may have expired before this process got them'],
  [HOUR_MS, 'came without an expiration 60 min ago, and have probably expired since'],
])(
  'credentials without an expiration, known for %d ms: the hint claims no more than that',
  (ageMs, doubt) => {
    const { message } = accessDeniedHint(evidenceOf(HOSTS.cluster, { credentials: { ...TEMPORARY, ageMs } }))
    expect(message).toContain(`the temporary credentials that signed ${doubt}: give a function`)
  },
)

test('a name or Region that was accepted before: not suspected', () => {
  const evidence = evidenceOf(GLOBAL, { accepted: 3, acceptedAgoMs: HOUR_MS })
  expect(rankDenialCauses(evidence)).not.toContain('region')
  const cname = evidenceOf('db.bank.internal', { accepted: 3, acceptedAgoMs: HOUR_MS })
  expect(rankDenialCauses(cname)).not.toContain('name')
})

test('a clock that agrees with STS: not on the list', () => {
  const credentials = { ...CREDENTIALS, clockAheadOfStsMs: 200 }
  expect(rankDenialCauses(evidenceOf(HOSTS.cluster, { credentials }))).not.toContain('clock')
})

test('RDS Proxy: both of its modes, and no user or setting of the database', () => {
  const causes = rankDenialCauses(evidenceOf(HOSTS.proxy))
  expect(causes).toEqual(['permission', 'proxy-secret', 'proxy-role', 'throttled', 'clock'])
  expect(accessDeniedHint(evidenceOf(HOSTS.proxy)).message).toMatch(
    /dbuser:prx-…\/app.*DefaultAuthScheme NONE.*IAM_AUTH/,
  )
})

test('a server that did not ask for a token: at RDS Proxy, no advice that breaks its standard mode', () => {
  const atCluster = tokenNotRequestedHint(evidenceOf(HOSTS.cluster).target).message
  expect(atCluster).toMatch(/is not an IAM user.*AWSAuthenticationPlugin/)
  const [standard = '', endToEnd = ''] = tokenNotRequestedHint(evidenceOf(HOSTS.proxy).target).message.split(
    'With end-to-end IAM',
  )
  expect(standard).toMatch(/IAMAuth REQUIRED.*keeps its password/)
  expect(standard).not.toContain('AWSAuthenticationPlugin')
  expect(endToEnd).toContain('AWSAuthenticationPlugin')
})

test('an instance: its resource id, and that of a cluster it may be a member of', () => {
  const { message } = accessDeniedHint(evidenceOf(HOSTS.instance))
  expect(message).toMatch(
    /dbuser:db-…\/app, or for a member of a cluster cluster-….*modify-db-instance.*modify-db-cluster/,
  )
})
