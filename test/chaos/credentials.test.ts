import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { AuroraIamError, type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { type CredentialIdentity, createPrincipal } from '@aurora-iam/local'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { HeldConnection } from '../conformance/harness.ts'
import { ADAPTERS } from './adapters.ts'
import { opener, refusedBy } from './setting.ts'

const MINUTE_MS = 60_000
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

const aurora = await localAurora()

let now: number
let folder: string

beforeEach(async () => {
  now = Date.now()
  aurora.setClock(() => now)
  folder = await mkdtemp(join(tmpdir(), 'aurora-iam-chaos-'))
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** Credentials that Local Aurora knows, until `revoke` is called. */
function issue(lifeMs?: number) {
  const expiration = lifeMs === undefined ? undefined : new Date(now + lifeMs)
  const principal = createPrincipal(expiration && { expiration })
  aurora.principals.add(principal)
  return {
    identity: principal as CredentialIdentity,
    revoke: () => aurora.principals.remove(principal.accessKeyId),
  }
}

function iamWith(options: AuroraIamOptions) {
  const { credentials: _, ...iam } = aurora.iam
  return createAuroraIam({ ...iam, clock: () => now, rateLimit: false, ...options })
}

type Source = NonNullable<AuroraIamOptions['credentials']>
type Answer = () => unknown

const failure = new Error('the vault is sealed')

const HOSTILE: ReadonlyArray<readonly [what: string, answer: Answer, code: string, cause: unknown]> = [
  ['nothing', () => undefined, 'INVALID', undefined],
  ['a string', () => SECRET, 'INVALID', undefined],
  ['no keys', () => ({}), 'INVALID', undefined],
  ['half a key', () => ({ secretAccessKey: SECRET }), 'INVALID', undefined],
  [
    'a date as a string',
    () => ({ accessKeyId: 'AKID', secretAccessKey: SECRET, expiration: '2030-01-01T00:00:00Z' }),
    'INVALID',
    undefined,
  ],
  [
    'an end in the past',
    () => ({ accessKeyId: 'AKID', secretAccessKey: SECRET, expiration: new Date(0) }),
    'INVALID',
    undefined,
  ],
  ['nothing, ever', () => new Promise(() => {}), 'TIMEOUT', undefined],
  ['a rejection', () => Promise.reject(failure), 'UNAVAILABLE', failure],
  [
    'an error, thrown at once',
    () => {
      throw failure
    },
    'UNAVAILABLE',
    failure,
  ],
]

describe.each(ADAPTERS)('credentials of $name', (harness) => {
  const connect = opener(harness, aurora)
  const { keepsErrors, retriesLogins = false } = harness.capabilities
  const refused = refusedBy(harness)

  test.each(HOSTILE)('a provider that answers %s: a clear error, then a usable pool', async (...row) => {
    const [, answer, code, cause] = row
    const { identity } = issue()
    let current: Answer = () => identity
    const iam = iamWith({ credentials: (() => current()) as Source, credentialsTimeoutMs: 50 })
    const client = await connect(iam)
    const held = await client.hold()
    now += 20 * MINUTE_MS
    current = answer
    const error = await rejectionOf(client.query('SELECT 1'))
    expect(error).toMatchObject({ code: `ERR_AURORA_IAM_CREDENTIALS_${code}` })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET)
    if (keepsErrors) {
      expect(error).toBeInstanceOf(AuroraIamError)
      expect(error.cause).toBe(cause)
    }
    expect(await held.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
    current = () => identity
    expect(await client.query('SELECT 3 AS three')).toEqual([{ three: 3 }])
    await held.release()
    expect(aurora.log.refusals).toHaveLength(0)
  })

  test('a role that is rotated while the pool works: one login is rejected, the next are accepted', async () => {
    let role = issue()
    const iam = iamWith({ credentials: async () => role.identity })
    const client = await connect(iam)
    const held: HeldConnection[] = [await client.hold()]
    for (let rotation = 0; rotation < 3; rotation++) {
      role.revoke()
      role = issue()
      // Later than the answers of a source are used again, sooner than a token ends.
      now += 2 * MINUTE_MS
      // A retry is made at most once in 5 seconds.
      if (retriesLogins && rotation === 0) held.push(await client.hold())
      else expect(await rejectionOf(client.hold())).toMatchObject(refused)
      held.push(await client.hold())
    }
    for (const connection of held) expect(await connection.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    for (const connection of held) await connection.release()
    expect(aurora.log.refusals).toHaveLength(3)
    expect(aurora.log.logins).toHaveLength(held.length)
  })

  test('the credentials file is rewritten while the pool works: one login is rejected, the next are accepted', async () => {
    const writeFileFor = ({ accessKeyId, secretAccessKey, sessionToken }: CredentialIdentity) =>
      writeFile(
        join(folder, 'credentials'),
        `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${sessionToken}\n`,
      )
    const before = issue()
    await writeFileFor(before.identity)
    const client = await connect(iamWith({}))
    const held = await client.hold()
    const after = issue()
    await writeFileFor(after.identity)
    before.revoke()
    if (!retriesLogins) expect(await rejectionOf(client.query('SELECT 1'))).toMatchObject(refused)
    expect(await client.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await held.release()
    expect(aurora.log.refusals).toHaveLength(1)
  })

  test('credentials that expire while 500 connections wait for their permit: none is rejected', async () => {
    let role = issue(2 * MINUTE_MS)
    const gate = await gateLimiter(501)
    const iam = iamWith({ credentials: async () => role.identity, rateLimit: gate.limiter })
    // A busy machine may take longer over so many than a single one may.
    const opening = connect(iam, { connectionLimit: 500, connectTimeout: 30_000 })
    const answer = opening.then((client) => client.query('SELECT 1'))
    // What connects when it is opened, or asks for the version before all else, does so with one.
    await until(() => gate.waiting === 1)
    gate.grant()
    await answer
    const client = await opening
    const holds = Array.from({ length: 500 }, () => client.hold())
    await until(() => gate.waiting + gate.granted === 500)
    now += 3 * MINUTE_MS
    role = issue(60 * MINUTE_MS)
    gate.open()
    for (const held of await Promise.all(holds)) await held.release()
    expect(aurora.log.refusals).toHaveLength(0)
    // All that waited shared one request for credentials and one signing.
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, connectionsOpened: 500 })
  }, 120_000)

  test('a provider that is down for 30 seconds: no effect while the token is valid, then an error, then automatic recovery', async () => {
    let isDown = false
    const { identity } = issue()
    const iam = iamWith({
      credentials: async () => {
        if (isDown) throw failure
        return identity
      },
    })
    const client = await connect(iam, { connectionLimit: 10 })
    const held = [await client.hold()]
    now += 14.5 * MINUTE_MS
    isDown = true
    for (let seconds = 0; seconds < 25; seconds += 5) {
      now += 5_000
      if (seconds < 20) held.push(await client.hold())
      else
        expect(await rejectionOf(client.hold())).toMatchObject({
          code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
        })
    }
    isDown = false
    now += 5_000
    held.push(await client.hold())
    for (const connection of held) await connection.release()
    expect(aurora.log.refusals).toHaveLength(0)
  })
})
