import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { LocalAurora } from '@aurora-iam/local'
import { pathOf } from '@aurora-iam/test-support/aws-environment'
import * as support from '@aurora-iam/test-support/cli-program'
import { beforeAll, onTestFinished } from 'vitest'

export const programPath = support.programPath

/** Builds the program before the tests of this file. */
export function buildProgram(): void {
  beforeAll(support.buildProgram)
}

/** Returns the options that name the database of `aurora`, with the authority in the folder of the test. */
export function targetOptions(aurora: LocalAurora): string[] {
  return support.targetOptions(aurora, pathOf('ca.pem'))
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
