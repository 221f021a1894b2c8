import { mkdirSync } from 'node:fs'
import { isolateAwsEnvironment, pathOf } from '@aurora-iam/test-support/aws-environment'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { awaitSharedFiles } from '../../src/util/shared-files.ts'
import { createUnansweredFile } from '../unanswered-file.ts'

isolateAwsEnvironment()

beforeEach(() => {
  vi.stubEnv('HOME', pathOf('.'))
  mkdirSync(pathOf('.aws'))
  useMovedClock()
  vi.advanceTimersByTime(60_000)
})

afterEach(() => {
  vi.useRealTimers()
})

test.each([
  ['AWS_CONFIG_FILE', {}, 'config'],
  ['AWS_SHARED_CREDENTIALS_FILE', {}, 'credentials'],
  ['~/.aws/config', { AWS_CONFIG_FILE: undefined }, '.aws/config'],
  ['~/.aws/credentials', { AWS_SHARED_CREDENTIALS_FILE: '' }, '.aws/credentials'],
  ['a path that begins with ~', { AWS_CONFIG_FILE: '~/aws.ini' }, 'aws.ini'],
  ['~ without HOME', { AWS_CONFIG_FILE: undefined, HOME: '', USERPROFILE: '{home}' }, '.aws/config'],
  [
    '~ in two variables',
    { AWS_CONFIG_FILE: undefined, HOME: undefined, HOMEDRIVE: '', HOMEPATH: '{home}' },
    '.aws/config',
  ],
])(
  '%s is not answered: the read is waited for until the time is over, and no second one begins',
  async (_what, variables, file) => {
    for (const [name, value] of Object.entries(variables))
      vi.stubEnv(name, value?.replace('{home}', pathOf('.')))
    const answer = createUnansweredFile(pathOf(file))
    const reading = awaitSharedFiles(1_000)
    vi.advanceTimersByTime(999)
    expect(awaitSharedFiles(1_000)).toBe(reading)
    vi.advanceTimersByTime(1)
    await expect(awaitSharedFiles(1_000)).rejects.toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
      option: 'credentials',
    })
    await answer()
    await reading
    const next = awaitSharedFiles(1_000)
    expect(next).not.toBe(reading)
    await next
  },
)

test('no files: an answer as well', async () => {
  await awaitSharedFiles(1_000)
})
