import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Knex } from 'knex'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { clientsOf } from './types/consumer.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

describe('what users write compiles without a cast', () => {
  test('the latest Knex: it compiles', () => {
    expectTypeOf<ReturnType<typeof clientsOf>>().toEqualTypeOf<Knex[]>()
  })

  test('the oldest supported Knex: it compiles', async () => {
    const args = ['-p', at('types'), '--listFiles']
    const { stdout } = await promisify(execFile)(at('../../node_modules/.bin/tsc'), args)
    expect(stdout).toContain('/knex@3.0.1')
    expect(stdout).not.toMatch(/\/knex@3\.[1-9]/)
  })
})
