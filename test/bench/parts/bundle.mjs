import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { bundle } from '../core/bundle.mjs'
import { installedFolder } from '../core/installed.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Size of a bundle'

export async function run() {
  const { folder, remove } = installedFolder()
  try {
    const contenders = []
    for (const [name, program] of [
      ['recipe', 'recipe'],
      ['aurora-iam', 'ours'],
    ]) {
      const { outfile, bytes } = await bundle(folder, program)
      contenders.push({ name, bytes, gzipBytes: gzipSync(readFileSync(outfile)).length })
    }
    return { contenders }
  } finally {
    remove()
  }
}

export function print({ contenders }) {
  const [{ bytes: base, gzipBytes: gzipBase }] = contenders
  printTable(
    'Bundle with mysql2, minified',
    ['', 'bytes', 'ratio', 'gzip bytes', 'ratio'],
    contenders.map(({ name, bytes, gzipBytes }) => [
      name,
      bytes,
      (bytes / base).toFixed(3),
      gzipBytes,
      (gzipBytes / gzipBase).toFixed(3),
    ]),
  )
}
