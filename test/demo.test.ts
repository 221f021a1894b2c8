import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const DEMO = fileURLToPath(new URL('../examples/demo/dist/main.js', import.meta.url))

describe('npm run demo', () => {
  let temporary: string
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'demo-test-'))
    env = { ...process.env, TMPDIR: temporary, NO_COLOR: '1' }
    // The database of the demo is its own.
    delete env.AURORA_IAM_BACKEND
  })

  afterAll(() => rm(temporary, { recursive: true }))

  test('the demo: it loses no money, no login of ours is rejected, and the plain pool fails', {
    timeout: 90_000,
  }, async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [DEMO], { env, timeout: 80_000 })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/logins refused +0 +[1-9]\d* \(.*ThrottlingException.*ExpiredToken/)
    expect(stdout).toMatch(/money before and after +200000 and 200000/)
    expect(Number(/tokens signed +(\d+)/.exec(stdout)?.[1])).toBeGreaterThan(2)
    expect(stdout.match(/█/g)?.length).toBeGreaterThan(60)
    expect(await readdir(temporary)).toEqual([])
  })

  test('Ctrl-C: no process and no folder is left', { timeout: 60_000 }, async () => {
    const demo = spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    demo.stdout.on('data', (chunk) => {
      output += chunk
    })
    while (!output.includes('   1 s')) await once(demo.stdout, 'data')
    const [folder] = await readdir(temporary)
    expect(folder).toBeDefined()
    demo.kill('SIGINT')
    await once(demo, 'close')
    expect(demo.exitCode).toBe(130)
    expect(await readdir(temporary)).toEqual([])
    // A program that still used the folder would have its name in its arguments.
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
    expect(stdout).not.toContain(folder)
  })
})
