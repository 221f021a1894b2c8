import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { untilDone } from '@aurora-iam/test-support/until'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { doctorArguments, prepareFor } from './support.ts'

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

// A time-out of ten seconds is over as soon as the process that never answers runs.
const haste = (pidFile: string) => `import { statSync } from 'node:fs'
const later = setTimeout
globalThis.setTimeout = (work, ms, ...rest) => {
  if (ms < 5_000) return later(work, ms, ...rest)
  const poll = setInterval(() => {
    if (!statSync(${JSON.stringify(pidFile)}, { throwIfNoEntry: false })?.size) return
    clearInterval(poll)
    work(...rest)
  }, 20)
  return poll
}`

const aurora = await localAurora()
prepareFor(aurora)

// What is spawned is the built program: Node 20 runs no TypeScript.
beforeAll(() => promisify(execFile)(path('../../node_modules/.bin/tsc'), ['-b', path('.')]))

/** Starts the doctor as a shell does, with its output in pipes. */
function start(options: Record<string, string> = {}, nodeOptions: readonly string[] = []) {
  const args = doctorArguments(aurora, options)
  const program = spawn(process.execPath, [...nodeOptions, path('bin/aurora-iam.js'), ...args])
  onTestFinished(() => void program.kill('SIGKILL'))
  const output = { out: '', error: '' }
  program.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  program.stderr.on('data', (chunk) => {
    output.error += chunk
  })
  return { program, output }
}

test('a program without options: its own findings are printed, no warning of the AWS SDK about this Node', async () => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', undefined)
  const { program, output } = start()
  expect(await once(program, 'close')).toEqual([0, null])
  expect(output.out).toMatch(/^ok +login +app is accepted$/m)
  expect(output.error).toBe('')
})

test('a credential_process that hangs: the program ends with its last word, and ends the command', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    vi.stubEnv(name, undefined)
  // Renamed when it is written, so that it is never read half.
  await write(
    'never.sh',
    `echo $$ >'${pathOf('new')}'; mv '${pathOf('new')}' '${pathOf('pid')}'; exec sleep 60`,
  )
  await write('config', `[profile never]\ncredential_process = sh ${pathOf('never.sh')}\n`)
  const hastened = `data:text/javascript,${encodeURIComponent(haste(pathOf('pid')))}`
  const { program, output } = start({ profile: 'never' }, ['--import', hastened])
  expect(await once(program, 'close')).toEqual([1, null])
  expect(output.out).toMatch(/\nFAIL +token .*\n +Check that/)
  const pid = Number(await readFile(pathOf('pid'), 'utf8'))
  await untilDone(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
})

test('output that is closed: the command goes on to its end, with the exit status of all findings', async () => {
  const { program, output } = start()
  program.stdout.destroy()
  expect(await once(program, 'close')).toEqual([0, null])
  expect(output.error).toBe('')
  expect(aurora.log.logins).toHaveLength(1)
})
