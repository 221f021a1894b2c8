import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { credentialsEnvironment } from '@aurora-iam/test-support/cli-program'
import { bundle } from '../core/bundle.mjs'
import { installedFolder } from '../core/installed.mjs'
import { startServer } from '../core/server.mjs'
import { summary } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'From the start of a process to its first row'

export async function run({ quick, progress }) {
  const { folder, remove } = installedFolder()
  const { aurora, settings } = await startServer()
  try {
    const bundles = { recipe: await bundle(folder, 'recipe'), ours: await bundle(folder, 'ours') }
    const programs = [
      ['recipe', join(folder, 'recipe.mjs')],
      ['recipe again', join(folder, 'recipe.mjs'), 'recipe'],
      ['aurora-iam', join(folder, 'ours.mjs'), 'recipe'],
      ['recipe, bundled', bundles.recipe.outfile],
      ['recipe again, bundled', bundles.recipe.outfile, 'recipe, bundled'],
      ['aurora-iam, bundled', bundles.ours.outfile, 'recipe, bundled'],
    ]
    const { iam, ...place } = settings
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      ...credentialsEnvironment(iam.credentials),
      PLACE: JSON.stringify({ ...place, region: iam.region }),
    }
    const samples = new Map(programs.map(([name]) => [name, []]))
    const blocks = quick ? 5 : 15
    for (let block = -1; block < blocks; block++) {
      const by = (block + 1) % programs.length
      for (const [name, path] of [...programs.slice(by), ...programs.slice(0, by)]) {
        const sample = await start(path, env)
        if (block >= 0) samples.get(name).push(sample)
      }
      progress(`block ${block + 1} of ${blocks}`)
    }
    return {
      bytes: { recipe: bundles.recipe.bytes, ours: bundles.ours.bytes },
      contenders: programs.map(([name, , floor]) => standing(name, floor, samples)),
    }
  } finally {
    await aurora.close()
    remove()
  }
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
