import { describe, expect, test } from 'vitest'
import {
  compilePolicy,
  compileStatements,
  type PolicyDocument,
  type PolicyStatement,
} from '../../src/iam/policy.ts'

const ARN = 'arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/jane'

function decide(statements: Partial<PolicyStatement> | Partial<PolicyStatement>[], resource = ARN) {
  const complete = [statements].flat().map((statement) => ({
    Effect: 'Allow' as const,
    Action: 'rds-db:connect',
    Resource: '*',
    ...statement,
  }))
  return compilePolicy({ Version: '2012-10-17', Statement: complete })('rds-db:connect', resource)
}

describe('what a policy allows', () => {
  test.each([
    ['everything', '*'],
    ['the very resource', ARN],
    ['every user of every database', 'arn:aws:rds-db:*:*:dbuser:*/*'],
    ['one user of every database', 'arn:aws:rds-db:*:*:dbuser:*/jane'],
    ['every user of one database', 'arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/*'],
    ['a wildcard for single characters', 'arn:aws:rds-db:eu-west-?:123456789012:dbuser:cluster-???/jan?'],
    ['a wildcard at the end of a segment, which runs on past the colon', 'arn:aws:rds-db:*'],
  ])('%s: allowed', (_what, Resource) => {
    expect(decide({ Resource })).toBe('allowed')
  })

  test.each(['*', 'rds-db:*', 'RDS-DB:Connect', 'rds-db:conn?ct', 'rds*:connect'])(
    'the action %s: allowed',
    (Action) => {
      expect(decide({ Action })).toBe('allowed')
    },
  )

  test('several statements, actions and resources: any of them allows', () => {
    const other = { Action: ['s3:GetObject', 'rds:*'] }
    expect(decide([other, { Action: ['s3:*', 'rds-db:connect'], Resource: ['arn:aws:s3:::x', ARN] }])).toBe(
      'allowed',
    )
  })
})

describe('what a policy does not allow', () => {
  test.each([
    ['a user in other case', 'arn:aws:rds-db:*:*:dbuser:*/Jane'],
    ['another database', 'arn:aws:rds-db:*:*:dbuser:cluster-XYZ/*'],
    ['another region', 'arn:aws:rds-db:us-east-1:*:dbuser:*/*'],
    ['another account', 'arn:aws:rds-db:*:999999999999:dbuser:*/*'],
    ['another partition', 'arn:aws-cn:rds-db:*:*:dbuser:*/*'],
    ['the ARN of the cluster, a usual mistake', 'arn:aws:rds:eu-west-1:123456789012:cluster:*'],
    ['a longer user', `${ARN}t`],
    ['a dot, which is no wildcard', ARN.replace('jane', 'jan.')],
    ['a wildcard within a segment, which stays in it', 'arn:aws:rds-db:eu*12:dbuser:*/*'],
  ])('%s: not allowed', (_what, Resource) => {
    expect(decide({ Resource })).toBe('not allowed')
  })

  test.each(['rds:connect', 'rds-db:Describe*', 'rds-db'])('the action %s: not allowed', (Action) => {
    expect(decide({ Action })).toBe('not allowed')
  })

  test('no statement: nothing is allowed', () => {
    expect(decide([])).toBe('not allowed')
  })

  test('a Deny: it counts, whatever else allows', () => {
    expect(decide([{}, { Effect: 'Deny', Resource: 'arn:aws:rds-db:*:*:dbuser:*/jane' }, {}])).toBe('denied')
    expect(decide([{}, { Effect: 'Deny', Resource: 'arn:aws:rds-db:*:*:dbuser:*/root' }])).toBe('allowed')
  })
})

describe('policies that cannot be evaluated', () => {
  const allow = { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }
  test.each([
    [
      'Condition',
      { ...allow, Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
      /Statement\[0\]\.Condition/,
    ],
    ['NotAction', { ...allow, NotAction: 's3:*' }, /NotAction/],
    ['NotResource', { ...allow, NotResource: '*' }, /NotResource/],
    ['Principal', { ...allow, Principal: '*' }, /Principal/],
    [
      'a policy variable',
      { ...allow, Resource: 'arn:aws:rds-db:*:*:dbuser:*/$' + '{aws:username}' },
      /policy variables/,
    ],
    ['an effect in other case', { ...allow, Effect: 'allow' }, /expected 'Allow' or 'Deny', got "allow"/],
    ['an empty action', { ...allow, Action: '' }, /Statement\[0\]\.Action/],
    ['no action', { Effect: 'Allow', Resource: '*' }, /Statement\[0\]\.Action/],
    ['a resource that is no ARN', { ...allow, Resource: 'jane' }, /expected '\*' or an ARN/],
    ['a statement that is none', 'Allow', /expected an object/],
    ['a statement that is null', null, /expected an object/],
  ])('%s: refused', (_what, statement, message) => {
    const document = { Statement: [statement] } as unknown as PolicyDocument
    expect(() => compilePolicy(document)).toThrow(
      expect.objectContaining({
        code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
        option: 'policy',
        message: expect.stringMatching(message),
      }),
    )
  })

  test('an unknown key of the document: refused', () => {
    const document = { statement: allow, Statement: allow } as unknown as PolicyDocument
    expect(() => compilePolicy(document)).toThrow('policy.statement')
  })
})

test('the statement that decided: position and Sid; a Deny before an Allow, none where nothing allows', () => {
  const policy = compileStatements({
    Statement: [
      { Sid: 'Others', Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Sid: 'All', Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' },
      { Effect: 'Deny', Action: 'rds-db:*', Resource: 'arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/root' },
    ],
  })
  const resource = (user: string) => `arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/${user}`
  expect(policy('rds-db:connect', resource('app'))).toEqual({
    decision: 'allowed',
    statement: { index: 1, sid: 'All' },
  })
  expect(policy('rds-db:connect', resource('root'))).toEqual({
    decision: 'denied',
    statement: { index: 2, sid: undefined },
  })
  expect(policy('ec2:RunInstances', resource('app'))).toEqual({
    decision: 'not allowed',
    statement: undefined,
  })
})
