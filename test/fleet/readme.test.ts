import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)

// What the README leaves to its reader. The rest is the README's, to the letter.
const prelude = `
const redisUrl = process.env.REDIS_URL
const { signal } = new AbortController()
const connect = async () => ({})
const isThrottled = () => false
`

test('the code of the README of rate-limit: it runs unchanged', async () => {
  const redis = await RedisServer.start()
  onTestFinished(() => redis.close())
  const folder = await mkdtemp(fileURLToPath(new URL('.readme-', import.meta.url)))
  onTestFinished(() => rm(folder, { recursive: true }))
  const markdown = await readFile(new URL('../../packages/rate-limit/README.md', import.meta.url), 'utf8')
  const blocks = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string)
  expect(blocks).toHaveLength(5)
  for (const [index, block] of blocks.entries()) {
    const path = `${folder}/${index}.mjs`
    // One of them ends with a `return`, as in a function of the reader's.
    const [, imports, body] = /^((?:import [^\n]*\n)*)(.*)$/s.exec(block) as unknown as [
      string,
      string,
      string,
    ]
    await writeFile(path, `${imports}${prelude}await (async () => {${body}})()\nprocess.exit(0)\n`)
    const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${redis.port}` }
    await run(process.execPath, [path], { env, timeout: 20_000 })
  }
})
