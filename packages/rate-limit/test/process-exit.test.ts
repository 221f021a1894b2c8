import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)))
let folder: string

// Node 20 runs no TypeScript, and a build in the package's own folder may be missing or old.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rate-limit-'))
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  )
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const output = ['--outDir', folder, '--tsBuildInfoFile', join(folder, 'tsbuildinfo')]
  await run(process.execPath, [compiler, '-p', packageFolder, ...output])
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs a program that has a limiter of 1 per 300 ms, and returns what it printed. */
async function play(program: string): Promise<string> {
  const library = pathToFileURL(join(folder, 'index.js'))
  const source = `
    import { createRateLimiter } from '${library}'
    const limiter = createRateLimiter({ limit: 1, intervalMs: 300 })
    const startedAt = performance.now()
    process.on('exit', () => console.log(performance.now() - startedAt < 250 ? 'at once' : 'after the wait'))
    ${program}`
  const options = { timeout: 20_000 }
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], options)
  return stdout.trim()
}

test('an idle limiter, with permits in flight or cooling down: the process exits at once', async () => {
  expect(await play('const permit = await limiter.acquire(); permit.release()')).toBe('at once')
  expect(await play('await limiter.acquire()')).toBe('at once')
})

test('a request that waits: the process stays, and exits after the grant', async () => {
  const program = `
    ;(await limiter.acquire()).release()
    limiter.acquire().then(() => console.log('granted'))`
  expect(await play(program)).toBe('granted\nafter the wait')
})

test('the only request was closed: the process exits at once', async () => {
  const program = `
    ;(await limiter.acquire()).release()
    limiter.acquire().catch((error) => console.log(error.code))
    limiter.close()`
  expect(await play(program)).toBe('ERR_RATE_LIMIT_CLOSED\nat once')
})
