import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import nodeResolve from '@rollup/plugin-node-resolve'
import { type BuildOptions, build } from 'esbuild'
import { type RollupBuild, rollup } from 'rollup'
import webpack from 'webpack'

// Their types are written as of CommonJS.
const commonjsPlugin = commonjs as unknown as typeof commonjs.default
const jsonPlugin = json as unknown as typeof json.default
const resolvePlugin = nodeResolve as unknown as typeof nodeResolve.default

/** Bundles the program `entry` into a folder. Returns the path of the bundle. */
export type Bundle = (entry: string, folder: string) => Promise<string>

/** CommonJS inside an ES module asks for Node's modules by `require`, which is not there. */
export const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/** Each form of bundle that users make for Node. */
export const BUNDLERS: ReadonlyArray<readonly [name: string, bundle: Bundle]> = [
  [
    'esbuild, CommonJS',
    (entry, folder) => withEsbuild(entry, folder, { format: 'cjs', outExtension: { '.js': '.cjs' } }),
  ],
  [
    'esbuild, CommonJS, minified',
    (entry, folder) =>
      withEsbuild(entry, folder, { format: 'cjs', outExtension: { '.js': '.cjs' }, minify: true }),
  ],
  ['esbuild, ES module', (entry, folder) => withEsbuild(entry, folder, { ...esm })],
  ['esbuild, ES modules, split', (entry, folder) => withEsbuild(entry, folder, { ...esm, splitting: true })],
  ['rollup, ES modules', (entry, folder) => withRollup(entry, folder, 'es')],
  ['rollup, CommonJS', (entry, folder) => withRollup(entry, folder, 'cjs')],
  ['webpack', withWebpack],
  ['ncc', withNcc],
]

const esm: BuildOptions = { format: 'esm', outExtension: { '.js': '.mjs' }, banner: { js: REQUIRE } }

async function withEsbuild(entry: string, folder: string, options: BuildOptions): Promise<string> {
  await build({
    entryPoints: { main: entry },
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    ...options,
  })
  return join(folder, `main${options.outExtension?.['.js']}`)
}

let graph: Promise<RollupBuild> | undefined

async function withRollup(entry: string, folder: string, format: 'es' | 'cjs'): Promise<string> {
  const extension = format === 'es' ? 'mjs' : 'cjs'
  graph ??= rollup({
    input: { main: entry },
    plugins: [
      resolvePlugin({ preferBuiltins: true, exportConditions: ['node'] }),
      commonjsPlugin(),
      jsonPlugin(),
    ],
    logLevel: 'silent',
  })
  const names = { entryFileNames: `[name].${extension}`, chunkFileNames: `[name]-[hash].${extension}` }
  await (await graph).write({ dir: folder, format, ...names })
  return join(folder, `main.${extension}`)
}

function withWebpack(entry: string, folder: string): Promise<string> {
  const settings: webpack.Configuration = {
    mode: 'production',
    target: 'node',
    // A minifier changes nothing of what is tested here, and takes most of the time.
    optimization: { minimize: false },
    entry,
    output: { path: folder, filename: 'main.cjs', chunkFilename: '[name].cjs' },
  }
  return new Promise((resolve, reject) => {
    webpack(settings, (error, stats) => {
      if (error || stats?.hasErrors()) reject(error ?? new Error(stats?.toString('errors-only')))
      else resolve(join(folder, 'main.cjs'))
    })
  })
}

async function withNcc(entry: string, folder: string): Promise<string> {
  const command = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js')
  await promisify(execFile)(process.execPath, [
    command,
    'build',
    entry,
    '--out',
    folder,
    '--no-cache',
    '--quiet',
  ])
  return join(folder, 'index.mjs')
}
