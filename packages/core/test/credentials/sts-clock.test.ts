import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { serveSts } from '@aurora-iam/test-support/sts'
import { expect, test, vi } from 'vitest'
import { defaultChain } from '../../src/credentials/default-chain.ts'

isolateAwsEnvironment()

const TIME = Date.parse('2026-11-23T12:00:00Z')
const DENIED = { code: 'AccessDenied', message: 'not authorized' }

test.each([
  ['a role', { accessKeyId: 'AKIDROLE' }, TIME, [TIME]],
  ['a rejection', DENIED, TIME, [TIME]],
  ['a rejection without a valid date', DENIED, Number.NaN, []],
])('%s as the answer of STS: its time is reported, if it has one', async (_what, answer, time, reported) => {
  await write('jwt', 'jwt')
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/app')
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', pathOf('jwt'))
  vi.stubEnv(
    'AWS_ENDPOINT_URL_STS',
    await serveSts(
      () => answer,
      () => time,
    ),
  )
  const times: number[] = []
  const onStsDate = (dateMs: number) => times.push(dateMs)
  const chain = await defaultChain({ profile: undefined, timeoutMs: 10_000, region: 'eu-west-1', onStsDate })
  await chain().catch(() => {})
  expect(times).toEqual(reported)
})
