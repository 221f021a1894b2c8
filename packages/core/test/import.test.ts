import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { SECRET } from '@aurora-iam/test-support/example-credentials'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TARGET } from './support.ts'

const run = promisify(execFile)
const core = dirname(dirname(fileURLToPath(import.meta.url)))
let folder: string

// Node 20 runs no TypeScript, and a build in the package's own folder may be missing or old. Where it is, the
// dependencies of the package are found.
beforeAll(async () => {
  folder = await mkdtemp(join(core, 'node_modules', '.import-test-'))
  const limiter = join(folder, 'node_modules', '@aurora-iam', 'rate-limit')
  await compile(join(core, '..', 'rate-limit'), limiter)
  await compile(core, folder)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function compile(from: string, to: string): Promise<void> {
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json')
  const output = ['--outDir', join(to, 'dist'), '--tsBuildInfoFile', join(to, 'tsbuildinfo'), '--noCheck']
  await run(process.execPath, [join(dirname(compiler), 'bin', 'tsc'), '-p', from, ...output])
  await copyFile(join(from, 'package.json'), join(to, 'package.json'))
}

/** Runs a program that begins with `library`, the URL of this package, and returns its output, line by line. */
async function play(program: string): Promise<string[]> {
  const url = (name: string) => pathToFileURL(join(folder, 'dist', name))
  const source = `const library = '${url('index.js')}', adapter = '${url('adapter.js')}'\n${program}`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], {
    timeout: 20_000,
  })
  return stdout.trim().split('\n')
}

const REPORT_MODULES = `
  import { register } from 'node:module'
  const hook = \`import { writeSync } from 'node:fs'
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context)
      writeSync(1, 'module ' + resolved.url + String.fromCharCode(10))
      return resolved
    }\`
  register('data:text/javascript,' + encodeURIComponent(hook))`

test('an import: nothing of the AWS SDK is loaded; the first token loads it', async () => {
  const isOfSdk = (line: string) => /node_modules\/(@aws-sdk|@smithy)\//.test(line)
  const imported = await play(`${REPORT_MODULES}
    await import(library)
    const { adapterIam } = await import(adapter)
    adapterIam({ region: 'eu-west-1' }).resolve({ host: '${TARGET.hostname}', port: 3306, user: 'app' })`)
  expect(imported.some((line) => line.includes('rate-limit'))).toBe(true)
  expect(imported.filter(isOfSdk)).toEqual([])

  const signed = await play(`${REPORT_MODULES}
    const { createAuroraIam } = await import(library)
    const credentials = { accessKeyId: 'AKID', secretAccessKey: '${SECRET}' }
    await createAuroraIam({ credentials }).token(${JSON.stringify(TARGET)})`)
  expect(signed.some(isOfSdk)).toBe(true)
})

test('an import: the environment is not read, nothing is opened, no global is left', async () => {
  const [result] = await play(`
    const read = []
    process.env = new Proxy(process.env, { get: (env, name) => (read.push(String(name)), env[name]) })
    const before = Object.getOwnPropertyNames(globalThis)
    const { createAuroraIam } = await import(library)
    createAuroraIam()
    const after = Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name))
    const open = process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|FSReq|CloseReq/.test(name))
    console.log(JSON.stringify({ read: read.filter((name) => name.startsWith('AWS')), after, open }))`)
  expect(JSON.parse(result!)).toEqual({ read: [], after: [], open: [] })
})

test('a process with tokens, permits and a closed wait: exits at once', async () => {
  const lines = await play(`
    const { adapterIam } = await import(adapter)
    const credentials = { accessKeyId: 'AKID', secretAccessKey: '${SECRET}' }
    const iam = adapterIam({ credentials })
    const target = iam.resolve({ host: '${TARGET.hostname}', port: 3306, user: 'app' })
    ;(await iam.login(target)).succeed()
    await iam.login(target)

    const hanging = adapterIam({ credentials: () => new Promise(() => {}), credentialsTimeoutMs: 600000 })
    const wait = hanging.login(target).catch((error) => console.log(error.code))
    hanging.close()
    await wait
    const startedAt = performance.now()
    process.on('exit', () => console.log(performance.now() - startedAt < 5000 ? 'at once' : 'late'))`)
  expect(lines).toEqual(['ERR_AURORA_IAM_CLOSED', 'at once'])
})
