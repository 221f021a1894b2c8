import { expect, test } from 'vitest'
import { readTokenDates } from '../../src/token/auth-token.ts'
import { readTokenClaims } from '../../src/token/token-claims.ts'

const DATES = 'X-Amz-Date=20261123T120000Z&X-Amz-Expires=900'
const CREDENTIAL = 'X-Amz-Credential=AKID%2F20261123%2Feu-west-1%2Frds-db%2Faws4_request'

test('a presigned token: what it is signed for', () => {
  expect(readTokenClaims(`db.test:3307/?Action=connect&DBUser=app&${CREDENTIAL}&${DATES}`)).toEqual({
    hostname: 'db.test',
    port: 3307,
    username: 'app',
    region: 'eu-west-1',
    expiresAt: new Date('2026-11-23T12:15:00Z'),
  })
})

test('a token for port 443, without user and dates: the port is read, the others are undefined', () => {
  expect(readTokenClaims(`db.test:443/?${CREDENTIAL}`)).toEqual({
    hostname: 'db.test',
    port: 443,
    username: undefined,
    region: 'eu-west-1',
    expiresAt: undefined,
  })
})

test.each([
  '',
  'a vault token: not a URL',
  `db.test:3306/?DBUser=app&${DATES}`,
  'db.test:3306/?X-Amz-Credential=AKID',
])('a token that no signer of AWS made, %j: no claims', (token) => {
  expect(readTokenClaims(token)).toBeUndefined()
})

test.each([
  ['a date that does not exist', 'X-Amz-Date=20261323T120000Z&X-Amz-Expires=900'],
  ['a lifetime of more than six digits', 'X-Amz-Date=20261123T120000Z&X-Amz-Expires=1234567'],
  ['a lifetime that is no number', 'X-Amz-Date=20261123T120000Z&X-Amz-Expires=900s'],
  ['a date alone', 'X-Amz-Date=20261123T120000Z'],
  ['parameters of longer names', 'Not-X-Amz-Date=20261123T120000Z&Not-X-Amz-Expires=900'],
])('a token with %s: no dates', (_what, query) => {
  expect(readTokenDates(`db.test:3306/?${query}`)).toBeUndefined()
})
