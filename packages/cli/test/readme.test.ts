import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { buildProgram, programPath } from './built-program.ts'
import { run } from './run.ts'
import { prepareFor } from './support.ts'

const HOST = 'mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com'

// The endpoint of the README, seen from behind a tunnel.
const aurora = await localAurora({ hostname: HOST, signedPort: 3306, database: 'shop' })
prepareFor(aurora)
buildProgram()

const readme = await readFile(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')
const BLOCKS = [...readme.matchAll(/```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?/gs)]
  .map(([, command = '', shown]) => ({ command: command.trim(), shown }))
  .filter(({ command }) => !command.startsWith('npm install'))
const answered = BLOCKS.filter(({ shown }) => shown !== undefined)
const others = BLOCKS.filter(({ shown }) => shown === undefined)

beforeEach(async () => {
  await mkdir(pathOf('bin'))
  // The tunnel and the authority of Local Aurora are what the reader has no need of.
  const tunnel = `--dial ${aurora.host}:${aurora.port} --ca ${pathOf('ca.pem')}`
  await write(
    'bin/aurora-iam',
    `#!/bin/sh
command=$1
shift
case $command in
  exec|proxy|doctor) set -- ${tunnel} "$@" ;;
esac
exec ${process.execPath} ${programPath} $command "$@"
`,
  )
  await chmod(pathOf('bin/aurora-iam'), 0o755)
  vi.stubEnv('PATH', `${pathOf('bin')}:${process.env.PATH}`)
})

function start(command: string): { child: ChildProcess; output: { out: string; error: string } } {
  const child = spawn('sh', ['-c', command], { detached: true })
  onTestFinished(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {}
  })
  const output = { out: '', error: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.error += chunk
  })
  return { child, output }
}

/** Replaces what differs from one run to the next. */
function normalized(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d+ s ago/g, 'N s ago')
    .replace(/ends in \w{4}/g, 'ends in KEY4')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
}

test.each(answered)('$command: prints what the README shows', async ({ command, shown = '' }) => {
  const { child, output } = start(command)
  await once(child, 'close')
  expect(normalized(output.out)).toBe(normalized(shown))
})

test.each(others)('$command: works', async ({ command }) => {
  const { child, output } = start(command)
  const closed = once(child, 'close')
  if (/ (proxy|local)\b/.test(command)) {
    await vi.waitFor(() => expect(output.out).toMatch(/listen(ing|s) on/i), 60_000)
    process.kill(-(child.pid as number), 'SIGTERM')
  }
  await closed
  // What is fetched from AWS cannot be fetched here, and says so.
  if (command.includes('aurora-iam ca')) expect(output.error).toMatch(/^$|cannot be fetched/)
  else expect(output.error.replace(/^\d{4}-.*$/gm, '').trim()).toBe('')
})

test('the table of commands and options: that of the program', async () => {
  const { out } = await run(['--help'])
  for (const [, command = ''] of out.matchAll(/^ {2}([a-z]+) /gm)) expect(readme).toContain(`\`${command}`)
  const { out: proxy } = await run(['proxy', '--help'])
  for (const [, option = ''] of readme.matchAll(/^\| `(--[a-z-]+)/gm)) expect(proxy).toContain(option)
})
