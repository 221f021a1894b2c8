import { expect, test } from 'vitest'
import { partsAround, strayParts } from '../../src/endpoint/stray-parts.ts'

const LONGEST = 2_000
const PORT = { parts: ['a port'], remedies: ['Give the port as `port`.'] }
const USER = 'Give the user as an option, without a password.'

test.each([
  ['Db.Example.com.:3306', { name: 'db.example.com', ...PORT }],
  [' db', { name: 'db', parts: ['a blank'], remedies: [] }],
  ['db\n', { name: 'db', parts: ['a line break'], remedies: [] }],
  ['mysql://db/app', { name: 'db', parts: ['a scheme', 'a path'], remedies: [] }],
  ['jdbc:mysql://app:pw@db', { name: 'db', parts: ['a scheme', 'a user'], remedies: [USER] }],
  [
    'app@db:3306?ssl=1',
    { name: 'db', parts: ['a user', 'a port', 'a path'], remedies: [USER, ...PORT.remedies] },
  ],
])('%j: the name, what stands around it, and where that belongs', (text, expected) => {
  expect(strayParts(text)).toEqual(expected)
})

test.each(['db', 'db.example.com', '', 'two words', '"db"', 'a@b:c@d'])('%j: no such parts', (text) => {
  expect(strayParts(text)).toBeUndefined()
})

test('a text of more than 2,000 characters: not looked at', () => {
  const longest = `${'x'.repeat(LONGEST - 5)}:3306`
  expect(strayParts(longest)?.parts).toEqual(['a port'])
  expect(strayParts(`x${longest}`)).toBeUndefined()
  const around = (length: number) => partsAround(','.padEnd(length, 'x'), () => true)
  expect(around(LONGEST)?.parts).toEqual(['other text'])
  expect(around(LONGEST + 1)).toBeUndefined()
})

test('a name within other text: found if it is the only one', () => {
  const isName = (text: string) => text.endsWith('.com')
  expect(partsAround('tcp(Db.com.:3306)', isName)).toEqual({
    name: 'db.com',
    parts: ['other text'],
    remedies: [],
  })
  expect(partsAround('"db.com"', isName)).toEqual({
    name: 'db.com',
    parts: ['a quotation mark'],
    remedies: [],
  })
  expect(partsAround('db.com,DB.com', isName)?.name).toBe('db.com')
  expect(partsAround('db.com,other.com', isName)).toBeUndefined()
  for (const text of ['nothing here', '()']) expect(partsAround(text, isName)).toBeUndefined()
  expect(partsAround('()', () => true)).toBeUndefined()
})
