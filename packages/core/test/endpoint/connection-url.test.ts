import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { assertPasswordEncoded, assertUrlGiven, decodeUrlPart } from '../../src/endpoint/connection-url.ts'

const OPTION = { option: 'uri', instead: '`host`' }

test.each([
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['an empty string', '', 'an empty string'],
])(
  'a URL that is %s, and no host: refused, with the variable that is probably not set',
  (_what, uri, shown) => {
    const error = errorThrownBy(() => assertUrlGiven({ uri } as object, OPTION))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'uri' })
    expect(error.message).toBe(
      `uri: ${shown}. The environment variable that it is read from is probably not set. Set it, or give \`host\` as options.`,
    )
  },
)

test.each<[string, object]>([
  ['a URL', { uri: 'mysql://db' }],
  ['no URL', {}],
  ['an inherited one', Object.create({ uri: undefined })],
  ['a host beside it', { uri: undefined, host: 'db' }],
])('%s: not refused', (_what, given) => {
  expect(() => assertUrlGiven(given, OPTION)).not.toThrow()
})

test('a part of a URL: decoded, and one that cannot be is not repeated', () => {
  expect(decodeUrlPart('p%40ss', 'uri')).toBe('p@ss')
  const error = errorThrownBy(() => decodeUrlPart('hunter2%', 'uri'))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'uri' })
  expect(error.message).toBe('uri: it contains a % that begins no character. Encode it as %25.')
  expect(error.cause).toBeUndefined()
})

test.each(['/b@db/app', '?b@db', '#b@db'])(
  'a password that ends the host with %s: refused, and not repeated',
  (rest) => {
    const error = errorThrownBy(() => assertPasswordEncoded(new URL(`mysql://app:hunter2@a${rest}`), 'uri'))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'uri' })
    expect(error.message).toMatch(/Encode the password/)
    expect(error.message).not.toMatch(/hunter2|@a/)
  },
)

test('a password that is encoded: not refused', () => {
  const url = new URL('mysql://app:a%40b@db/app?ssl=1#x')
  expect(() => assertPasswordEncoded(url, 'uri')).not.toThrow()
})
