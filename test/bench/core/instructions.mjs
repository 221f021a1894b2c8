import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/**
 * Counts the instructions of a program for Node with valgrind: without those of the kernel, and without V8's search for
 * a random seed.
 *
 * @param args - path of the program, and its arguments
 * @param options.node - path of Node
 * @param options.env - the whole environment of the program
 * @throws an error with what the program and valgrind wrote, if the program fails
 */
export async function instructionsOf(args, { node = process.execPath, env }) {
  const folder = mkdtempSync(join(tmpdir(), 'instructions-'))
  const counts = join(folder, 'counts')
  const options = ['--tool=cachegrind', '--cache-sim=no', `--cachegrind-out-file=${counts}`]
  // Threads of the collector and the compiler would make the count depend on their moments.
  const command = [...options, node, '--single-threaded', ...args]
  const child = spawn('valgrind', command, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    const [report] = await Promise.all([text(child.stderr), once(child, 'exit')])
    if (child.exitCode !== 0) throw new Error(`${args.join(' ')}: ${report}`)
    return sumOf(readFileSync(counts, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Returns the sum of the counts of all functions, but for those in which V8 looks for a random seed. */
function sumOf(counts) {
  let isOfSeed = false
  let sum = 0
  for (const line of counts.split('\n')) {
    if (line.startsWith('fn=')) isOfSeed = /detail::|HashSeed/.test(line)
    else if (/^\d/.test(line) && !isOfSeed) sum += Number(line.split(' ')[1])
  }
  return sum
}
