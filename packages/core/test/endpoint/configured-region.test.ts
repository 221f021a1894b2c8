import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { configuredRegion } from '../../src/endpoint/configured-region.ts'
import { createAuroraIam } from '../../src/index.ts'
import { settle, warningsOf } from '../support.ts'
import { createUnansweredFile } from '../unanswered-file.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
const target = { hostname: 'db.example.com', port: 3306, username: 'app' }
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aurora-iam-region-'))
  await writeFile(
    join(folder, 'config'),
    '[default]\nregion = eu-west-3\n[profile other]\nregion = eu-north-1\n[profile odd]\nregion = stockholm\n',
  )
})

afterAll(() => rm(folder, { recursive: true }))

beforeEach(() => {
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'))
  vi.stubEnv('AWS_REGION', undefined)
  vi.stubEnv('AWS_PROFILE', undefined)
})

afterEach(() => {
  vi.unstubAllEnvs()
})

async function signedRegion(iam = createAuroraIam({ credentials })): Promise<string | undefined> {
  const { value } = await iam.token(target)
  return /X-Amz-Credential=AKIDEXAMPLE%2F\d+%2F([a-z0-9-]+)%2Frds-db/.exec(value)?.[1]
}

test("a name that does not tell: AWS_REGION, else the profile's", async () => {
  expect(await signedRegion()).toBe('eu-west-3')
  vi.stubEnv('AWS_PROFILE', 'other')
  expect(await signedRegion()).toBe('eu-north-1')
  vi.stubEnv('AWS_REGION', 'us-west-2')
  expect(await signedRegion()).toBe('us-west-2')
})

test('an explicit Region: it comes before the environment and the profile', async () => {
  vi.stubEnv('AWS_REGION', 'us-west-2')
  expect(await signedRegion(createAuroraIam({ credentials, region: 'sa-east-1' }))).toBe('sa-east-1')
})

test('a Region that is written into the profile while the program runs: read', async () => {
  const path = join(folder, 'config-without')
  await writeFile(path, '[default]\n')
  vi.stubEnv('AWS_CONFIG_FILE', path)
  const iam = createAuroraIam({ credentials })
  await expect(signedRegion(iam)).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_REGION_UNKNOWN' })
  await writeFile(path, '[default]\nregion = eu-south-2\n')
  expect(await signedRegion(iam)).toBe('eu-south-2')
})

test('500 users at once: no warning', async () => {
  const iam = createAuroraIam({ credentials })
  const users = Array.from({ length: 500 }, (_, index) => ({ ...target, username: `user${index}` }))
  expect(await warningsOf(() => Promise.all(users.map((user) => iam.token(user))))).toEqual([])
})

test('files that are not answered: the error says so, and not that the Region is unknown', async () => {
  const path = join(folder, 'config-unanswered')
  const answer = createUnansweredFile(path)
  vi.stubEnv('AWS_CONFIG_FILE', path)
  useMovedClock()
  // The first call would spend its time on loading it.
  await import('@smithy/core/config')
  const first = configuredRegion(undefined, 1_000).catch(() => {})
  await settle()
  vi.advanceTimersByTime(1_000)
  await expect(configuredRegion(undefined, 1_000)).rejects.toMatchObject({
    code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
  })
  await answer()
  await first
  vi.useRealTimers()
})

test('closed while it is to be looked up: CLOSED, and nothing is left unhandled', async () => {
  const iam = createAuroraIam({ credentials, profile: 'absent' })
  await iam.token({ ...target, hostname: 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com' })
  const waiting = rejectionOf(iam.token(target))
  iam.close()
  expect(await waiting).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
})

test.each([
  ['in no file', 'absent', /AWS_REGION and the profile do not set it.*Give the Region/],
  ['of no shape of a Region', 'odd', /a string of 9 characters.*Give the Region/],
])('a Region %s: REGION_UNKNOWN', async (_what, profile, message) => {
  vi.stubEnv('AWS_PROFILE', profile)
  const error = await rejectionOf(signedRegion())
  expect(error).toMatchObject({
    code: 'ERR_AURORA_IAM_REGION_UNKNOWN',
    option: 'region',
    retryable: false,
    message: expect.stringMatching(message),
  })
  // The AWS SDK has an error for the first alone.
  expect('cause' in error).toBe(profile === 'absent')
})
