// The soak of the rate limiter plays them: real limiters and the real script on a real Redis, in virtual time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { printTable } from '../core/table.mjs'

export const title = 'Cold starts of a fleet'

const root = fileURLToPath(new URL('../../..', import.meta.url))

export async function run({ quick, progress }) {
  const folder = mkdtempSync(join(tmpdir(), 'cold-starts-'))
  const file = join(folder, 'results.json')
  try {
    const child = spawn(
      join(root, 'node_modules/.bin/vitest'),
      ['run', '--config', 'vitest.soak.config.ts', 'fleet/cold-starts.soak'],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, COLD_STARTS: quick ? '100' : '100,1000,3000', COLD_STARTS_FILE: file },
      },
    )
    child.stdout.on('data', (text) => {
      for (const [line] of String(text).matchAll(/\{"limit".*\}/g)) progress(line)
    })
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error('The soak of the cold starts failed: run it by `npm run soak`.')
    return { starts: JSON.parse(readFileSync(file, 'utf8')) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function print({ starts }) {
  printTable(
    'Cold starts of a fleet',
    ['processes', 'limit', 'within ms', 'densest second', 'of the limit used', 'calls per login', 'failed'],
    starts.map(({ processes, limit, overMs, most, used, callsPerLogin, failed }) => [
      processes,
      limit,
      overMs,
      most,
      used || '-',
      callsPerLogin,
      failed,
    ]),
  )
}
