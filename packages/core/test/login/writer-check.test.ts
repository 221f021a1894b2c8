import { expect, test } from 'vitest'
import { adapterIam } from '../../src/adapter.ts'

const check = (host: string, requireWriter = true) => {
  const iam = adapterIam({ requireWriter, region: 'eu-west-1' })
  return iam.writerCheck(iam.resolve({ host, port: 3306, user: 'app' }))
}

test.each([
  ['the writer endpoint of a cluster', 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'],
  ['that of a global database', 'mydb.global-abcdefghijkl.global.rds.amazonaws.com'],
])('%s is queried: a reader is refused, a writer is not', (_what, host) => {
  const { refusal } = check(host)!
  for (const writer of [0, 0n, '0', 'OFF', false, Buffer.from('0')]) expect(refusal(writer)).toBeUndefined()
  for (const reader of [1, 1n, '1', 'ON', true, Buffer.from('1')]) {
    expect(refusal(reader)).toMatchObject({
      message: expect.stringContaining('leads to a reader'),
      code: 'ERR_AURORA_IAM_NOT_A_WRITER',
      option: 'requireWriter',
      retryable: true,
    })
  }
})

test.each([
  ['NULL', null],
  ['no column', undefined],
  ['an empty text', ''],
  ['blanks', '  '],
  ['an empty array', []],
  ['another number', -0.5],
  ['0 in another notation', '0x0'],
  ['a byte 0', Buffer.of(0)],
])('%s as the answer: refused, because it is no answer of a writer', (_what, answer) => {
  const { refusal } = check('mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com')!
  expect(refusal(answer)).toMatchObject({
    code: 'ERR_AURORA_IAM_NOT_A_WRITER',
    option: 'requireWriter',
    message: expect.stringMatching(/^requireWriter: .* did not show whether .*Expected 0 or 1/),
  })
})

test.each([
  ['readers', 'mydb.cluster-ro-abcdefghijkl.eu-west-1.rds.amazonaws.com'],
  ['a custom endpoint', 'mydb.cluster-custom-abcdefghijkl.eu-west-1.rds.amazonaws.com'],
  ['an instance', 'mydb.abcdefghijkl.eu-west-1.rds.amazonaws.com'],
  ['a proxy', 'mydb.proxy-abcdefghijkl.eu-west-1.rds.amazonaws.com'],
])('%s: no query is sent', (_what, host) => {
  expect(check(host)).toBeUndefined()
})

test('requireWriter is off: no query is sent', () => {
  expect(check('mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com', false)).toBeUndefined()
})
