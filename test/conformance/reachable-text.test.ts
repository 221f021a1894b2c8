import { expect, test } from 'vitest'
import { reachableText } from './reachable-text.ts'

class Private {
  readonly #secret = 'secret'

  get read() {
    return this.#secret.length
  }
}

test.each<[string, unknown]>([
  ['a property that is not enumerable', Object.defineProperty({}, 'a', { value: 'secret' })],
  ['the message of the cause of an error', new Error('a', { cause: new Error('secret') })],
  ['the name of a property', { secret: 1 }],
  ['a symbol as a name', { [Symbol('secret')]: 1 }],
  ['a key of a map', new Map([['secret', 1]])],
  ['a value of a map in a set', new Set([new Map([[1, ['secret']]])])],
  ['the bytes of a buffer', { packet: Buffer.from('a secret packet') }],
  ['a property of a function', Object.assign(() => {}, { a: 'secret' })],
])('a secret in %s: found', (_where, value) => {
  expect(reachableText({ deep: [value] })).toContain('secret')
})

test('an object that holds itself, and a private field: no text', () => {
  const loop: { self?: unknown; field: Private } = { field: new Private() }
  loop.self = loop
  expect(reachableText(loop)).not.toContain('secret')
})
