import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { prepareStarts } from '../core/starts.mjs'
import { summary } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'From the start of a process to its first row'

export async function run({ quick, progress }) {
  const { programs, bytes, close } = await prepareStarts()
  try {
    const contenders = programs.flatMap(withAgain)
    const samples = new Map(contenders.map(({ name }) => [name, []]))
    const blocks = quick ? 3 : 15
    for (let block = -1; block < blocks; block++) {
      const by = (block + 1) % contenders.length
      for (const { name, path, env } of [...contenders.slice(by), ...contenders.slice(0, by)]) {
        const sample = await start(path, env)
        if (block >= 0) samples.get(name).push(sample)
      }
      progress(`block ${block + 1} of ${blocks}`)
    }
    return { bytes, contenders: contenders.map(({ name, floor }) => standing(name, floor, samples)) }
  } finally {
    await close()
  }
}

/** Returns a program, and a recipe a second time: what differs from 1 there is noise. */
function withAgain(program) {
  if (program.floor !== undefined) return [program]
  return [program, { ...program, name: program.name.replace('recipe', 'recipe again'), floor: program.name }]
}

async function start(path, env) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const wallMs = performance.now() - startedAt
  const { user, system } = JSON.parse(line)
  await once(child, 'exit')
  return { wallMs, cpuMs: (user + system) / 1_000 }
}

function standing(name, floor, samples) {
  const own = samples.get(name)
  const of = (field) => own.map((sample) => sample[field])
  const result = { name, wallMs: summary(of('wallMs')).median, cpuMs: summary(of('cpuMs')).median }
  if (floor === undefined) return result
  const base = samples.get(floor)
  const ratio = (field) => summary(own.map((sample, block) => sample[field] / base[block][field]))
  return { ...result, floor, wallRatio: ratio('wallMs'), cpuRatio: ratio('cpuMs') }
}

export function print({ contenders }) {
  const shown = (ratio) =>
    ratio ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})` : '1'
  printTable(
    'Start of the process to the first row',
    ['', 'wall ms', 'CPU ms', 'wall ratio', 'CPU ratio'],
    contenders.map(({ name, wallMs, cpuMs, wallRatio, cpuRatio }) => [
      name,
      wallMs,
      cpuMs,
      shown(wallRatio),
      shown(cpuRatio),
    ]),
  )
}
