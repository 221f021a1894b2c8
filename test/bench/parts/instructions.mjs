import { fileURLToPath } from 'node:url'
import { instructionsBetweenLines } from '../core/instructions.mjs'
import { nodeProgram } from '../core/node-program.mjs'
import { startServer } from '../core/server.mjs'
import { rounded } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Instructions of a new connection'

// A name, the module of the contender, its kinds (bare and ours), and the version of Node; that of the bench without.
const CONTENDERS = [
  ['mysql2', 'mysql2', 'bare', 'limited'],
  ['Knex', 'knex', 'bare', 'ours'],
  ['TypeORM', 'typeorm', 'bare', 'ours'],
  ['Prisma', 'prisma', 'stock', 'ours'],
  ...[22, 24].flatMap((node) => [
    [`mysql2, Node ${node}`, 'mysql2', 'bare', 'limited', node],
    [`Knex, Node ${node}`, 'knex', 'bare', 'ours', node],
    [`TypeORM, Node ${node}`, 'typeorm', 'bare', 'ours', node],
  ]),
]

// A name, the work, how many connections a round opens, the rounds before the count, those that are counted, and whose.
const MEASURES = [
  { name: 'one at a time', work: 'connectOneByOne', each: 20, warmUpRounds: 15, rounds: 5 },
  { name: '20 together', work: 'connectTogether', each: 20, warmUpRounds: 15, rounds: 5 },
  { name: '60 together', work: 'connectTogether', each: 60, warmUpRounds: 5, rounds: 2, modules: ['mysql2'] },
]

// What counts makes a program 50 times slower.
const TIMEOUT_MS = 300_000

const program = fileURLToPath(new URL('../programs/connects.mjs', import.meta.url))

export async function run({ progress }) {
  const { aurora, settings } = await startServer({ connectTimeoutMs: TIMEOUT_MS })
  try {
    const measures = []
    for (const { name: measure, modules, ...work } of MEASURES) {
      const contenders = []
      for (const [name, module, bare, ours, node] of CONTENDERS) {
        if (modules?.includes(module) === false) continue
        const [bareMillions, oursMillions] = await Promise.all(
          [bare, ours].map((kind) =>
            millionsEach({ module, node, ...work }, { ...settings, connectTimeout: TIMEOUT_MS, kind }),
          ),
        )
        const ratio = Math.round((oursMillions / bareMillions) * 1_000) / 1_000
        progress(`${name}, ${measure}: ${ratio}`)
        contenders.push({ name, bareMillions, oursMillions, ratio })
      }
      measures.push({ name: measure, contenders })
    }
    return { measures }
  } finally {
    await aurora.close()
  }
}

/** Returns the instructions of one connection in the client, in millions. */
async function millionsEach({ module, node, work, each, warmUpRounds, rounds }, settings) {
  const args = [program, module, work, ...[each, warmUpRounds, rounds].map(String)]
  const env = { ...process.env, BENCH_SETTINGS: JSON.stringify(settings) }
  const count = await instructionsBetweenLines(args, { node: nodeProgram(node), env })
  return rounded(count / rounds / each / 1e6, 4)
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
