// Opens connections by one contender, and once more when it is told to: the instructions of the second time are counted
// from outside.
import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'

const [contender, work, each, warmUpRounds, rounds] = process.argv.slice(2)
const { setUp } = await import(new URL(`../contenders/${contender}.mjs`, import.meta.url))
const works = await setUp(JSON.parse(process.env.BENCH_SETTINGS))
await works.prepare?.()
await connect(warmUpRounds)
// When V8 optimizes a function, and when it collects, would be most of the difference between two counts.
for (const flag of ['--no-opt', '--no-maglev', '--max-optimized-bytecode-size=0']) setFlagsFromString(flag)
globalThis.gc()
await tell('warm')
await connect(rounds)
await tell('done')
process.exit()

async function connect(times) {
  for (let round = 0; round < Number(times); round++) await works[work](Number(each))
}

/** Writes a line, and waits for one. */
async function tell(line) {
  process.stdout.write(`${line}\n`)
  await once(process.stdin, 'data')
}
