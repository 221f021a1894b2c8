import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

// Threads of the collector and the compiler would make a count depend on their moments.
const NODE_OPTIONS = ['--single-threaded']

// Before the young generation is full, there is nothing to collect. In MiB.
const YOUNG_GENERATION = 128

/**
 * Counts the instructions of a whole program for Node, without those of the kernel, and without V8's search for a
 * random seed.
 *
 * @param args - path of the program, and its arguments
 * @param options.node - path of Node
 * @param options.env - the whole environment of the program
 * @throws an error with what the program and valgrind wrote, if the program fails
 */
export function instructionsOf(args, { node = process.execPath, env }) {
  return inFolder(async (file) => {
    const options = ['--tool=cachegrind', '--cache-sim=no', `--cachegrind-out-file=${file}`]
    const child = spawn('valgrind', [...options, node, ...NODE_OPTIONS, ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await success(child)
    return sumWithoutSeed(readFileSync(file, 'utf8'))
  })
}

/**
 * Counts the instructions of what a program for Node does between two lines that it writes, without those of the
 * kernel. It waits for a line after each of them. It has `globalThis.gc`, and collects nothing else meanwhile.
 *
 * The parameters are those of {@link instructionsOf}.
 */
export function instructionsBetweenLines(args, { node = process.execPath, env }) {
  return inFolder(async (file) => {
    const options = ['--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${file}`]
    const memory = ['min', 'max'].map((end) => `--${end}-semi-space-size=${YOUNG_GENERATION}`)
    const command = [...options, node, ...NODE_OPTIONS, '--expose-gc', ...memory, ...args]
    const child = spawn('valgrind', command, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    const end = success(child)
    for (const counting of ['on', 'off']) {
      await Promise.race([once(child.stdout, 'data'), end])
      await promisify(execFile)('callgrind_control', ['-i', counting, String(child.pid)])
      child.stdin.write('\n')
    }
    await end
    return Number(/^totals: (\d+)/m.exec(readFileSync(file, 'utf8'))[1])
  })
}

async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'instructions-'))
  try {
    return await work(join(folder, 'counts'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function success(child) {
  const [report] = await Promise.all([text(child.stderr), once(child, 'exit')])
  if (child.exitCode !== 0) throw new Error(`${child.spawnargs.join(' ')}: ${report}`)
}

function sumWithoutSeed(counts) {
  let isOfSeed = false
  let sum = 0
  for (const line of counts.split('\n')) {
    if (line.startsWith('fn=')) isOfSeed = /detail::|HashSeed/.test(line)
    else if (/^\d/.test(line) && !isOfSeed) sum += Number(line.split(' ')[1])
  }
  return sum
}
