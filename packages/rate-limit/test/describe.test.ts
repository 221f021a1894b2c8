import { expect, test } from 'vitest'
import { describe } from '../src/describe.ts'

test.each([
  [undefined, 'undefined'],
  [null, 'null'],
  [true, 'true'],
  ['', 'an empty string'],
  ['secret', 'a string of 6 characters'],
  [7, 'a number'],
  [Number.NaN, 'NaN'],
  [['secret'], 'an array'],
  [Promise.resolve(), 'a promise'],
  [{ secret: 1 }, 'an object'],
  [() => 'secret', 'a function'],
  [Symbol('secret'), 'a symbol'],
  [7n, 'a bigint'],
])('a value of an option, case %#: its type and size alone', (value, description) => {
  expect(describe(value)).toBe(description)
})

test('an option that is a number by nature: a number is shown, and a text is not', () => {
  expect([7, 'secret', 7n].map((value) => describe(value, { showNumber: true }))).toEqual([
    '7',
    'a string of 6 characters',
    'a bigint',
  ])
})
