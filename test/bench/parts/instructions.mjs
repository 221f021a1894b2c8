import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { startServer } from '../core/server.mjs'
import { rounded } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Instructions of a new connection'

// A name, the module of the contender, and its kinds: bare and ours.
const CONTENDERS = [
  ['mysql2', 'mysql2', 'bare', 'limited'],
  ['Knex', 'knex', 'bare', 'ours'],
  ['TypeORM', 'typeorm', 'bare', 'ours'],
  ['Prisma', 'prisma', 'stock', 'ours'],
]

const WORKS = [
  ['one at a time', 'connectOneByOne'],
  ['20 together', 'connectTogether'],
]
const EACH = 20
// The start of the program and the compilation of its code are in both counts, and not in their difference.
const ROUNDS = [10, 30]

const program = fileURLToPath(new URL('../programs/connects.mjs', import.meta.url))

export async function run({ progress }) {
  const { aurora, settings } = await startServer()
  try {
    const measures = []
    for (const [name, work] of WORKS) {
      const contenders = []
      for (const [contender, module, bare, ours] of CONTENDERS) {
        progress(`${contender}, ${name}`)
        const [bareMillions, oursMillions] = [
          await millionsEach(module, work, { ...settings, kind: bare }),
          await millionsEach(module, work, { ...settings, kind: ours }),
        ]
        const ratio = Math.round((oursMillions / bareMillions) * 1_000) / 1_000
        contenders.push({ name: contender, bareMillions, oursMillions, ratio })
      }
      measures.push({ name, contenders })
    }
    return { measures }
  } finally {
    await aurora.close()
  }
}

/** Returns the instructions of one connection in the client, without those of the kernel, in millions. */
async function millionsEach(module, work, settings) {
  const [fewer, more] = [
    await instructionsOf([module, work, ROUNDS[0], EACH], settings),
    await instructionsOf([module, work, ROUNDS[1], EACH], settings),
  ]
  return rounded((more - fewer) / (ROUNDS[1] - ROUNDS[0]) / EACH / 1e6)
}

async function instructionsOf(args, settings) {
  const folder = mkdtempSync(join(tmpdir(), 'instructions-'))
  const counts = join(folder, 'counts')
  const options = ['--tool=cachegrind', '--cache-sim=no', `--cachegrind-out-file=${counts}`]
  // Threads of the collector and the compiler would make the count depend on their moments.
  const command = [...options, process.execPath, '--single-threaded', program, ...args.map(String)]
  const child = spawn('valgrind', command, {
    env: { ...process.env, BENCH_SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
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

export function print({ measures }) {
  for (const { name, contenders } of measures) {
    printTable(
      `Instructions of a new connection, ${name}`,
      ['', 'bare, millions', 'ours, millions', 'ratio'],
      contenders.map(({ name, bareMillions, oursMillions, ratio }) => [
        name,
        bareMillions,
        oursMillions,
        ratio,
      ]),
    )
  }
}
