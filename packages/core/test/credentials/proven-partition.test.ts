import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { partitionOf } from '../../src/adapter.ts'
import type { AuroraIamOptions } from '../../src/index.ts'
import { Clock, iamOn } from '../support.ts'

const HOSTS = {
  Ireland: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  Sydney: 'mydb.cluster-abcdefghijkl.ap-southeast-2.rds.amazonaws.com',
  China: 'mydb.cluster-abcdefghijkl.rds.cn-north-1.amazonaws.com.cn',
}

/** Returns an AuroraIam, and logins with it. */
function setUp(options: AuroraIamOptions = {}) {
  const iam = iamOn(new Clock(), options)
  const token = (hostname: string) => iam.token({ hostname, port: 3306, username: 'app' })
  const logIn = async (host: string, error?: Error) => {
    const login = await iam.login(iam.resolve({ host, port: 3306, user: 'app' }))
    await login.token()
    if (error) login.fail(error)
    else login.succeed()
  }
  const logInWithoutToken = async (host: string) => {
    const login = await iam.login(iam.resolve({ host, port: 3306, user: 'app' }))
    login.succeed()
  }
  return { token, logIn, logInWithoutToken }
}

test('a database of another partition than one that accepted the credentials: refused, with the remedy', async () => {
  const { token, logIn } = setUp()
  await logIn(HOSTS.Ireland)
  for (const attempt of [() => token(HOSTS.China), () => logIn(HOSTS.China)]) {
    const error = await rejectionOf(attempt())
    expect(error).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'credentials',
      retryable: false,
      message: expect.stringMatching(
        /eu-west-1 \(partition aws\).*cn-north-1 \(partition aws-cn\).*one AuroraIam for each partition/,
      ),
    })
  }
  await logIn(HOSTS.Sydney)
})

test('a database of another partition that rejects the first login: it decides nothing', async () => {
  const { token, logIn } = setUp()
  await logIn(HOSTS.China, Object.assign(new Error('Access denied'), { errno: 1045 }))
  await logIn(HOSTS.Ireland)
  await expect(token(HOSTS.China)).rejects.toThrow(/one AuroraIam for each partition/)
})

test('a server that asks for no token, such as a local one without passwords: it decides nothing', async () => {
  const { token, logInWithoutToken } = setUp()
  await logInWithoutToken(HOSTS.Ireland)
  await expect(token(HOSTS.China)).resolves.toBeDefined()
})

test('a tokenProvider: it serves each partition', async () => {
  const provided = setUp({ tokenProvider: ({ region }) => `token-of-${region}` })
  await provided.logIn(HOSTS.Ireland)
  expect((await provided.token(HOSTS.China)).value).toBe('token-of-cn-north-1')
})

test('credentials that fail to be refreshed: those of another partition are not used in their place', async () => {
  let fails = false
  const credentials = async () => {
    if (fails) throw new Error('away')
    return STATIC
  }
  const { token, logIn } = setUp({ credentials })
  await logIn(HOSTS.Ireland, Object.assign(new Error('Access denied'), { errno: 1045 }))
  fails = true
  await expect(token(HOSTS.Ireland)).resolves.toBeDefined()
  await expect(token(HOSTS.China)).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
})

// https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
test.each([
  ['eu-west-1', 'aws'],
  ['us-east-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['us-iso-east-1', 'aws-iso'],
  ['us-isob-east-1', 'aws-iso-b'],
  ['eu-isoe-west-1', 'aws-iso-e'],
  ['us-isof-south-1', 'aws-iso-f'],
  ['eusc-de-east-1', 'aws-eusc'],
])('%s: in the partition %s', (region, partition) => {
  expect(partitionOf(region)).toBe(partition)
})
