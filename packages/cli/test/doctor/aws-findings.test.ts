import { adapterIam } from '@aurora-iam/core/adapter'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { awsFindings } from '../../src/doctor/aws/aws-findings.ts'
import { buildProgram, startProgram, targetOptions } from '../built-program.ts'
import { doctorArguments, prepareFor, run } from '../support.ts'
import { type Answer, serveAwsApi } from './aws-api.ts'

const aurora = await localAurora()
prepareFor(aurora)
buildProgram()

const [ID = ''] = aurora.hostname.split('.')
const ACCOUNT = '123456789012'
const RESOURCE = `arn:aws:rds-db:${aurora.region}:${ACCOUNT}:dbuser:cluster-ABCDEFGHIJKL/app`

const cluster = ({ isEnabled = true, port = aurora.port } = {}) => `<DBClusters><DBCluster>
  <DBClusterIdentifier>${ID}</DBClusterIdentifier>
  <DBClusterArn>arn:aws:rds:${aurora.region}:${ACCOUNT}:cluster:${ID}</DBClusterArn>
  <DbClusterResourceId>cluster-ABCDEFGHIJKL</DbClusterResourceId>
  <IAMDatabaseAuthenticationEnabled>${isEnabled}</IAMDatabaseAuthenticationEnabled>
  <Port>${port}</Port></DBCluster></DBClusters>`

const simulation = (decision: string, more = '') => `<EvaluationResults><member>
  <EvalActionName>rds-db:connect</EvalActionName><EvalResourceName>${RESOURCE}</EvalResourceName>
  <EvalDecision>${decision}</EvalDecision>${more}
  <MatchedStatements>${decision === 'implicitDeny' ? '' : '<member><SourcePolicyId>ConnectAsApp</SourcePolicyId></member>'}</MatchedStatements>
  </member></EvaluationResults>`

const ROLE = `<Role><Arn>arn:aws:iam::${ACCOUNT}:role/service/app</Arn><RoleName>app</RoleName><RoleId>AROA</RoleId>
  <Path>/service/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>`

const doctor = () => run(aurora, doctorArguments(aurora))

describe('with access to the AWS API', () => {
  test('a right set-up: IAM is enabled, with the resource id, and the policies allow the login', async () => {
    const asked = await serveAwsApi({
      DescribeDBClusters: cluster(),
      GetRole: ROLE,
      SimulatePrincipalPolicy: simulation('allowed'),
    })
    const { status, out, verdicts } = await doctor()
    expect(status).toBe(0)
    expect(verdicts).toMatchObject({ login: 'ok', IAM: 'ok', permission: 'ok' })
    expect(verdicts).not.toHaveProperty('port')
    expect(out).toContain('its resource id is cluster-ABCDEFGHIJKL')
    expect(out).toContain(`${RESOURCE} is allowed by ConnectAsApp`)
    expect(asked).toMatchObject([
      { Action: 'DescribeDBClusters', DBClusterIdentifier: ID, service: 'rds' },
      { Action: 'GetRole', RoleName: 'app', service: 'iam' },
      {
        Action: 'SimulatePrincipalPolicy',
        PolicySourceArn: `arn:aws:iam::${ACCOUNT}:role/service/app`,
        'ActionNames.member.1': 'rds-db:connect',
        'ResourceArns.member.1': RESOURCE,
      },
    ])
  })

  test('IAM is off, and the port of the database is another than the signed one: both named, with the remedy', async () => {
    aurora.faults.set({ refuse: 'NotAuthorized' })
    await serveAwsApi({
      DescribeDBClusters: cluster({ isEnabled: false, port: 3307 }),
      SimulatePrincipalPolicy: simulation('allowed'),
    })
    const { status, out, verdicts } = await doctor()
    expect(status).toBe(1)
    expect(verdicts).toMatchObject({ login: 'FAIL', IAM: 'FAIL', port: 'FAIL', permission: 'ok' })
    expect(out).toContain(
      `modify-db-cluster --db-cluster-identifier ${ID} --enable-iam-database-authentication`,
    )
    expect(out).toContain(`listens on port 3307, and the token is signed for port ${aurora.port}`)
    expect(out).toContain('--port 3307')
  })

  test.each([
    ['implicitDeny', '', 'no statement allows it'],
    ['explicitDeny', '', 'a statement denies it, in ConnectAsApp'],
    [
      'implicitDeny',
      '<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>',
      'the permission boundary does not allow it',
    ],
    [
      'explicitDeny',
      '<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>',
      'a service control policy of the organization does not allow it',
    ],
  ])(
    'the simulation returns %s%s: FAIL, with the statement that is missing',
    async (decision, more, said) => {
      aurora.faults.set({ refuse: 'NotAuthorized' })
      await serveAwsApi({
        DescribeDBClusters: cluster(),
        SimulatePrincipalPolicy: simulation(decision, more),
      })
      const { out, verdicts } = await doctor()
      expect(verdicts).toMatchObject({ permission: 'FAIL' })
      // Without iam:GetRole the role is taken for one without a path.
      expect(out).toContain(`arn:aws:iam::${ACCOUNT}:role/app may not connect: ${said}`)
      expect(out).toContain(`"Resource":"${RESOURCE}"`)
    },
  )
})

describe('a check that cannot run', () => {
  test('no permission to describe: the permission that it needs', async () => {
    await serveAwsApi({})
    const { status, out, verdicts } = await doctor()
    expect(status).toBe(0)
    expect(verdicts).toMatchObject({ login: 'ok', IAM: 'unknown', permission: 'unknown' })
    expect(out).toContain('It needs the permission rds:DescribeDBClusters')
  })

  test('no permission to simulate: unknown, with the permission that it needs', async () => {
    await serveAwsApi({ DescribeDBClusters: cluster() })
    const { status, out, verdicts } = await doctor()
    expect(status).toBe(0)
    expect(verdicts).toMatchObject({ IAM: 'ok', permission: 'unknown' })
    expect(out).toContain('It needs the permission iam:SimulatePrincipalPolicy')
  })

  test('an AWS API that cannot be reached: unknown, with the error', async () => {
    const { status, out } = await doctor()
    expect(status).toBe(0)
    expect(out).toMatch(/^unknown +IAM +the AWS API was not asked \(.*ECONNREFUSED/m)
  })

  test('credentials that are not those of a user or role: the permission is unknown', async () => {
    await serveAwsApi({ DescribeDBClusters: cluster() })
    const target = adapterIam(aurora.iam).resolve({ host: aurora.host, port: aurora.port, user: 'app' })
    const found = []
    for await (const finding of awsFindings(target, {
      arn: `arn:aws:iam::${ACCOUNT}:root`,
      profile: undefined,
    }))
      found.push(finding)
    expect(found.at(-1)).toMatchObject({
      check: 'permission',
      verdict: 'unknown',
      seen: expect.stringContaining('root is neither'),
    })
  })

  test('the clients are not installed: the command that installs them', async () => {
    const hooks = `export const resolve = (name, context, next) => {
      if (!/client-(rds|iam)$/.test(name)) return next(name, context)
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    }`
    const url = `data:text/javascript,${encodeURIComponent(hooks)}`
    const register = `import { register } from 'node:module'
      register(${JSON.stringify(url)})`
    const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(register)}`]
    const { ended, output } = startProgram(['doctor', ...targetOptions(aurora)], { nodeOptions })
    const status = await ended
    const { out } = output
    expect(status).toBe(0)
    expect(out).toMatch(
      /^unknown +IAM +@aws-sdk\/client-rds is not installed\. .*npm install @aws-sdk\/client-rds$/m,
    )
  })
})

describe('the database of each kind of endpoint', () => {
  const REGION = 'eu-west-1'
  const R = `abcdefghijkl.${REGION}.rds.amazonaws.com`
  const ARN = `arn:aws:iam::${ACCOUNT}:user/app`
  const instance = (more: string) => `<DBInstances><DBInstance>
    <DBInstanceArn>arn:aws:rds:${REGION}:${ACCOUNT}:db:db1</DBInstanceArn><DbiResourceId>db-ABC</DbiResourceId>
    <IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>
    <Endpoint><Port>3306</Port></Endpoint>${more}</DBInstance></DBInstances>`
  const proxy = (scheme: string, auth: string) => `<DBProxies><member>
    <DBProxyArn>arn:aws:rds:${REGION}:${ACCOUNT}:db-proxy:prx-ABC</DBProxyArn>
    <DefaultAuthScheme>${scheme}</DefaultAuthScheme>
    <Auth><member><IAMAuth>${auth}</IAMAuth></member></Auth></member></DBProxies>`
  const simulated = { SimulatePrincipalPolicy: simulation('allowed') }

  beforeEach(() => vi.stubEnv('AWS_REGION', REGION))

  /** Returns the findings, and the resources that IAM was asked about. */
  async function examine(host: string, answers: Readonly<Record<string, Answer>>) {
    const asked = await serveAwsApi({ ...simulated, ...answers })
    const target = adapterIam({ region: REGION }).resolve({ host, port: 3306, user: 'app' })
    const findings = []
    for await (const finding of awsFindings(target, { arn: ARN, profile: undefined })) findings.push(finding)
    const resources = asked.flatMap((question) => question['ResourceArns.member.1'] ?? [])
    return { findings, resources, actions: asked.map(({ Action }) => Action) }
  }
  const arnOf = (id: string) => `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:${id}/app`

  test('a custom endpoint: its cluster', async () => {
    const endpoints = `<DBClusterEndpoints><DBClusterEndpointList><DBClusterIdentifier>c1</DBClusterIdentifier>
      </DBClusterEndpointList></DBClusterEndpoints>`
    const { actions, findings } = await examine(`analysts.cluster-custom-${R}`, {
      DescribeDBClusterEndpoints: endpoints,
      DescribeDBClusters: cluster({ port: 3306 }),
    })
    expect(actions).toEqual(['DescribeDBClusterEndpoints', 'DescribeDBClusters', 'SimulatePrincipalPolicy'])
    expect(findings[0]).toMatchObject({
      check: 'IAM',
      verdict: 'ok',
      seen: expect.stringContaining('cluster c1'),
    })
  })

  test('an instance of RDS: its own id', async () => {
    const { resources } = await examine(`db1.${R}`, { DescribeDBInstances: instance('') })
    expect(resources).toEqual([arnOf('db-ABC')])
  })

  test('a member of a cluster: the id of the cluster', async () => {
    const { findings } = await examine(`db1.${R}`, {
      DescribeDBInstances: instance('<DBClusterIdentifier>c1</DBClusterIdentifier>'),
      DescribeDBClusters: cluster({ port: 3306 }),
    })
    expect(findings[0]?.seen).toContain('cluster-ABCDEFGHIJKL')
  })

  test.each([
    ['IAM_AUTH', 'DISABLED', 'ok', 'end-to-end IAM'],
    ['NONE', 'REQUIRED', 'ok', 'standard IAM, with tokens for 1 of 1 secrets'],
    ['NONE', 'DISABLED', 'fail', 'standard IAM, with tokens for 0 of 1 secrets'],
  ])('an RDS Proxy with %s and IAMAuth %s: %s', async (scheme, auth, verdict, said) => {
    const { findings, resources } = await examine(`p.proxy-${R}`, { DescribeDBProxies: proxy(scheme, auth) })
    expect(findings[0]).toMatchObject({ check: 'IAM', verdict, seen: expect.stringContaining(said) })
    expect(resources).toEqual([arnOf('prx-ABC')])
  })

  test('an endpoint of an RDS Proxy: its proxy', async () => {
    const endpoints = '<DBProxyEndpoints><member><DBProxyName>p</DBProxyName></member></DBProxyEndpoints>'
    const { resources } = await examine(`e.endpoint.proxy-${R}`, {
      DescribeDBProxyEndpoints: endpoints,
      DescribeDBProxies: proxy('IAM_AUTH', 'DISABLED'),
    })
    expect(resources).toEqual([arnOf('prx-ABC')])
  })

  test.each([
    [`bank.global-abcdefghijkl.global.rds.amazonaws.com`, 'does not tell which database it is'],
    [`gone.cluster-${R}`, 'the AWS API has no cluster gone'],
  ])('%s: the check reports that it has nothing', async (host, said) => {
    const { findings } = await examine(host, { DescribeDBClusters: '<DBClusters/>' })
    expect(findings).toMatchObject([
      { check: 'IAM', verdict: 'unknown', seen: expect.stringContaining(said) },
      { check: 'permission', verdict: 'unknown' },
    ])
  })
})
