import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const text = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')

test('the example of the README: the one that is tested', async () => {
  const [, example] = /```ts\n(.*?)```/s.exec(await text('../README.md')) ?? []
  expect(example).toBe(await text('readme-example.test.ts'))
})
