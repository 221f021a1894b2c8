import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { describe, expect, test } from 'vitest'
import { run } from '../run.ts'

isolateAwsEnvironment()

const CLUSTER = 'mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com'
const ids = ['--account', '123456789012', '--resource-id', 'cluster-ABC']
const ask = (command: string, host = CLUSTER, ...more: string[]) =>
  run([command, '--host', host, '--user', 'app', ...more])

describe('policy', () => {
  test.each([
    [CLUSTER, 'cluster-ABC', 'arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/app'],
    [
      'db.c0example0.eu-west-1.rds.amazonaws.com',
      'db-ABC',
      'arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABC/app',
    ],
    [
      'p.proxy-c0example0.cn-north-1.rds.amazonaws.com.cn',
      'prx-ABC',
      'arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:prx-ABC/app',
    ],
    [
      'db.cluster-c0example0.us-gov-west-1.rds.amazonaws.com',
      'cluster-ABC',
      'arn:aws-us-gov:rds-db:us-gov-west-1:123456789012:dbuser:cluster-ABC/app',
    ],
  ])('%s: the ARN of its kind and partition', async (host, id, arn) => {
    const { status, out } = await ask('policy', host, '--account', '123456789012', '--resource-id', id)
    expect(status).toBe(0)
    expect(JSON.parse(out).Statement).toEqual([
      { Sid: 'AuroraIamConnect', Effect: 'Allow', Action: 'rds-db:connect', Resource: arn },
    ])
  })

  test('without account and id: placeholders, and the commands that show them', async () => {
    const { out, error } = await ask('policy')
    expect(out).toContain(':ACCOUNT_ID:dbuser:cluster-RESOURCE_ID/app')
    expect(error).toContain('aws sts get-caller-identity')
    expect(error).toContain('aws rds describe-db-clusters --db-cluster-identifier mydb')
  })

  test.each([
    ['db-ABC', 'begins with cluster-'],
    ['mydb', 'begins with cluster-'],
    ['cluster-*', 'an id has no wildcard'],
    ['cluster-A_B', 'letters and digits after cluster-'],
  ])('a resource id that is not that of a cluster (%s): refused', async (id, said) => {
    const { status, error } = await ask('policy', CLUSTER, '--resource-id', id)
    expect(status).toBe(2)
    expect(error).toContain(said)
  })

  test('wildcards: written, with a warning', async () => {
    const { status, error } = await run(['policy', '--host', CLUSTER, '--user', '*', '--resource-id', '*'])
    expect(status).toBe(0)
    expect(error).toContain('every database user')
    expect(error).toContain('every database of the Region')
  })
})

test.each([
  ['policy', ['--boundary', 'boundary.json'], '--boundary: it bounds the policies of --check'],
  ['policy', ['--scp', 'scp.json'], '--scp: it bounds the policies of --check'],
  ['sql', ['--grant', 'ALL'], '--grant: there is no database to grant it on'],
  ['sql', ['--proxy-mode', 'end-to-end'], `--proxy-mode: ${CLUSTER} is not the endpoint of an RDS Proxy`],
  ['token', ['--watch', 'token', '--json'], '--json: it has no effect beside --watch'],
])('%s with %j, which would have no effect: refused', async (command, more, said) => {
  const { status, out, error } = await ask(command, CLUSTER, ...more)
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(error).toContain(said)
})

test.each(['policy', 'sql', 'terraform', 'cdk'])(
  '%s with a --region that contradicts the host: refused, and no ARN written',
  async (command) => {
    const { status, out, error } = await ask(command, CLUSTER, '--region', 'us-east-1')
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(error).toContain(`--region: us-east-1 contradicts ${CLUSTER}, which is in eu-west-1.`)
    expect(await ask(command, CLUSTER, '--region', 'eu-west-1')).toMatchObject({ status: 0 })
  },
)

describe('policy --check', () => {
  const statement = (Effect: string, Resource: string, Sid?: string) => ({
    Effect,
    Action: 'rds-db:*',
    Resource,
    Sid,
  })
  const file = async (name: string, ...Statement: object[]) => {
    await write(name, JSON.stringify({ Version: '2012-10-17', Statement }))
    return pathOf(name)
  }
  const any = 'arn:aws:rds-db:*:*:dbuser:*'
  const check = (...more: string[]) => ask('policy', CLUSTER, ...ids, '--check', ...more)

  test('an identity policy that allows: allowed, by which statement', async () => {
    const path = await file(
      'a.json',
      statement('Allow', 'arn:aws:rds-db:eu-west-1:1:dbuser:x/y'),
      statement('Allow', any, 'All'),
    )
    const { status, out } = await check(path)
    expect(status).toBe(0)
    expect(out).toContain(`allowed by statement 1 (All): identity policy ${path}`)
  })

  test.each([
    ['no policy that allows', [], [], 'not allowed: identity policy'],
    [
      'a Deny in the boundary',
      [statement('Allow', any)],
      [statement('Allow', any), statement('Deny', any)],
      'denied by statement 1: boundary policy',
    ],
    [
      'a boundary that does not allow',
      [statement('Allow', any)],
      [statement('Allow', 'arn:aws:s3:::x')],
      'not allowed: boundary policy',
    ],
  ])('%s: denied', async (_what, identity, boundary, said) => {
    const path = await file('identity.json', ...identity, statement('Allow', 'arn:aws:s3:::x'))
    const bound = await file('boundary.json', ...boundary, statement('Allow', 'arn:aws:s3:::x'))
    const { status, out } = await check(path, ...(boundary.length > 0 ? ['--boundary', bound] : []))
    expect(status).toBe(1)
    expect(out).toContain(
      'denied: rds-db:connect on arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/app',
    )
    expect(out).toContain(said)
  })

  test('an SCP that does not allow: denied, as JSON', async () => {
    const path = await file('identity.json', statement('Allow', any))
    const scp = await file('scp.json', statement('Allow', 'arn:aws:s3:::x'))
    const { status, out } = await check(path, '--scp', scp, '--json')
    expect(status).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      allowed: false,
      because: [{ role: 'scp', decision: 'not allowed' }],
    })
  })

  test('a policy that cannot be evaluated faithfully: refused', async () => {
    const path = await file('a.json', { ...statement('Allow', any), Condition: {} })
    const { status, error } = await check(path)
    expect(status).toBe(2)
    expect(error).toContain('Condition')
  })

  test('without the account: refused, because a placeholder cannot be evaluated', async () => {
    expect((await ask('policy', CLUSTER, '--check', 'a.json')).error).toContain('--account is missing')
  })
})

describe('sql', () => {
  test('a user for tokens: CREATE USER with its grants, and the database of a GRANT is a pattern', async () => {
    expect((await ask('sql', CLUSTER, '--database', 'my_shop')).out).toBe(
      "CREATE USER 'app'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;\n" +
        "GRANT SELECT, INSERT, UPDATE, DELETE ON `my\\_shop`.* TO 'app'@'%';\n",
    )
  })

  test('an RDS Proxy: a password user in standard mode, the plugin in end-to-end mode, and which it is', async () => {
    const proxy = 'p.proxy-c0example0.eu-west-1.rds.amazonaws.com'
    const standard = await ask('sql', proxy)
    expect(standard.out).toContain('IDENTIFIED BY RANDOM PASSWORD')
    expect(standard.error).toContain('Standard mode')
    const end = await ask('sql', proxy, '--proxy-mode', 'end-to-end')
    expect(end.out).toContain('AWSAuthenticationPlugin')
    expect(end.error).toContain('The role of the proxy needs rds-db:connect')
  })

  test.each([
    ["a'; DROP USER root; --"],
    ['a`b'],
    ['a\\'],
    ['$' + '{x}'],
    ['a"b'],
    ['x'.repeat(33)],
    [''],
    ['*'],
    ['a\nb'],
  ])('a hostile name (%j): refused in every command, and not repeated', async (user) => {
    for (const command of ['sql', 'terraform', 'cdk', ...(user === '*' ? [] : ['policy'])]) {
      const { status, out, error } = await run([command, '--host', CLUSTER, '--user', user])
      expect({ status, out }).toEqual({ status: 2, out: '' })
      expect(error).toContain('--user: expected')
    }
    const database = user.startsWith('x') ? user.repeat(2) : user
    expect(await ask('sql', CLUSTER, '--database', database)).toMatchObject({ status: 2, out: '' })
  })

  test('--grant with more than privileges: refused', async () => {
    const { status } = await ask('sql', CLUSTER, '--database', 'shop', '--grant', 'ALL ON *.* TO root; --')
    expect(status).toBe(2)
  })
})

test('terraform and cdk without options: they look up what is left out', async () => {
  const terraform = await ask('terraform')
  expect(terraform.out).toContain('cluster_identifier = "mydb"')
  expect(terraform.out).toContain('{data.aws_rds_cluster.database.cluster_resource_id}/app')
  expect(terraform.error).toBe('')
  expect((await ask('cdk')).out).toContain('{cluster.clusterResourceIdentifier}/app')
  for (const command of ['terraform', 'cdk']) {
    const { out } = await ask(command, CLUSTER, ...ids)
    expect(out).toContain('arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/app')
    expect(out).not.toContain('cluster_resource_id')
  }
})
