import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LocalAurora } from '@aurora-iam/local'
import { pathOf } from '@aurora-iam/test-support/aws-environment'
import { beforeAll, onTestFinished } from 'vitest'

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

export const programPath = path('bin/aurora-iam.js')

/** Builds before the tests of this file: the program is built, as Node 20 runs no TypeScript. */
export function buildProgram(): void {
  beforeAll(async () => {
    await promisify(execFile)(path('../../node_modules/.bin/tsc'), ['-b', path('.')])
  })
}

/** Returns the options that name the database of `aurora`. */
export function targetOptions({ host, port, hostname }: LocalAurora): string[] {
  return [
    '--host',
    host,
    '--port',
    String(port),
    '--hostname',
    hostname,
    '--user',
    'app',
    '--ca',
    pathOf('ca.pem'),
  ]
}

/** Output of a program that was started, and its end. */
export interface Started {
  readonly process: ChildProcess
  readonly output: { out: string; error: string }
  /** Resolves with the exit status; for a signal, with its name. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** Starts the program as a shell does, with pipes for its streams. */
export function startProgram(
  args: readonly string[],
  {
    input = '',
    nodeOptions = [],
  }: { readonly input?: string; readonly nodeOptions?: readonly string[] } = {},
): Started {
  const child = spawn(process.execPath, [...nodeOptions, programPath, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { out: '', error: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.error += chunk
  })
  child.stdin.end(input)
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  return { process: child, output, ended }
}

/** Runs the program to its end. */
export async function runProgram(args: readonly string[], input = '') {
  const { output, ended } = startProgram(args, { input })
  return { status: await ended, ...output }
}

/** Returns options of Node that move the clock of the program by the milliseconds in a file. */
export function clockOf(file: string): string[] {
  const program = `import { readFileSync } from 'node:fs'
const RealDate = Date
const now = () => RealDate.now() + Number(readFileSync(${JSON.stringify(file)}, 'utf8'))
globalThis.Date = class extends RealDate {
  constructor(...parts) { super(...(parts.length === 0 ? [now()] : parts)) }
  static now() { return now() }
}`
  return ['--import', `data:text/javascript,${encodeURIComponent(program)}`]
}
