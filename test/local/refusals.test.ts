import { createAuroraIam } from '@aurora-iam/core'
import { createPrincipal, type IamRefusal, type LocalAurora } from '@aurora-iam/local'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { Signer, type SignerConfig } from '@aws-sdk/rds-signer'
import mysql from 'mysql2/promise'
import { beforeAll, describe, expect, test } from 'vitest'

const MINUTE_MS = 60_000

const aurora = await localAurora()

type Bad = readonly [
  kind: string,
  reason: IamRefusal,
  make: (aurora: LocalAurora) => string | Promise<string>,
]

const edited = (from: string | RegExp, to: string) => async (aurora: LocalAurora) =>
  (await signed()(aurora)).replace(from, to)

const onlyReporting = createPrincipal({
  policy: {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'rds-db:connect', Resource: 'arn:aws:rds-db:*:*:dbuser:*/reporting' },
    ],
  },
})

const BAD: readonly Bad[] = [
  ['a plain password', 'InvalidToken', () => 'correct horse battery staple'],
  ['a truncated token', 'InvalidToken', async (aurora) => (await signed()(aurora)).slice(0, 255)],
  ['a token encoded twice', 'InvalidToken', async (aurora) => encodeURIComponent(await signed()(aurora))],
  ['a changed signature', 'InvalidToken', edited(/Signature=.{4}/, 'Signature=0000')],
  ['a longer life than 15 minutes', 'InvalidToken', edited('X-Amz-Expires=900', 'X-Amz-Expires=3600')],
  ['another action', 'InvalidToken', edited('Action=connect', 'Action=dump')],
  ['another service', 'InvalidToken', edited('rds-db', 'rds')],
  [
    'another host',
    'InvalidToken',
    signed({ hostname: 'other.cluster-c0local0aur0.us-east-1.rds.amazonaws.com' }),
  ],
  ['another port', 'InvalidToken', signed({ port: 3307 })],
  ['another Region', 'InvalidToken', signed({ region: 'eu-west-1' })],
  ['another user', 'InvalidToken', signed({ username: 'App' })],
  [
    'an unknown access key',
    'InvalidToken',
    signed({ credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'x' } }),
  ],
  [
    'another secret key',
    'InvalidToken',
    (aurora) => signed({ credentials: { ...aurora.credentials, secretAccessKey: 'x' } })(aurora),
  ],
  [
    'no session token',
    'InvalidToken',
    (aurora) => signed({ credentials: { ...aurora.credentials, sessionToken: undefined } })(aurora),
  ],
  ['a clock 20 minutes slow', 'ExpiredToken', signedAt(-20 * MINUTE_MS)],
  ['a clock 20 minutes fast', 'InvalidToken', signedAt(20 * MINUTE_MS)],
  ['a role without rds-db:connect for the user', 'NotAuthorized', signed({ credentials: onlyReporting })],
]

describe('a login with a bad token: the client gets 1045, the log has the reason', () => {
  beforeAll(() => aurora.principals.add(onlyReporting))

  test.each(BAD)('%s: %s', async (_kind, reason, make) => {
    await expect(logIn(aurora, await make(aurora))).rejects.toMatchObject({ errno: 1045 })
    expect(aurora.log.refusals).toMatchObject([{ user: 'app', reason }])
  })

  test('the same token, unchanged: accepted', async () => {
    await logIn(aurora, await signed()(aurora))
    expect(aurora.log.logins).toHaveLength(1)
  })

  test('too many logins: ThrottlingException', async () => {
    aurora.setThrottle({ limit: 1, intervalMs: 60_000 })
    const token = await signed()(aurora)
    await logIn(aurora, token)
    await expect(logIn(aurora, token)).rejects.toMatchObject({ errno: 1045 })
    expect(aurora.log.refusals).toMatchObject([{ reason: 'ThrottlingException' }])
  })

  test('a failure of the IAM service: InternalError', async () => {
    aurora.faults.set({ refuse: 'InternalError' })
    await expect(logIn(aurora, await signed()(aurora))).rejects.toMatchObject({ errno: 1045 })
    expect(aurora.log.refusals).toMatchObject([{ reason: 'InternalError' }])
  })
})

function signed(changes: Partial<SignerConfig> = {}) {
  return ({ hostname, port, region, credentials }: LocalAurora) =>
    new Signer({ hostname, port, region, credentials, username: 'app', ...changes }).getAuthToken()
}

function signedAt(offsetMs: number) {
  return async (aurora: LocalAurora) => {
    const iam = createAuroraIam({ ...aurora.iam, clock: () => Date.now() + offsetMs })
    const { hostname, port } = aurora
    return (await iam.token({ hostname, port, username: 'app' })).value
  }
}

async function logIn({ host, port, ca }: LocalAurora, password: string): Promise<void> {
  const connection = await mysql.createConnection({
    host,
    port,
    user: 'app',
    password,
    enableCleartextPlugin: true,
    ssl: { ca, verifyIdentity: true },
  })
  await connection.end()
}
