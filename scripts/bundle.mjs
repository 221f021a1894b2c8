// Makes the form of the packages that is published: few files, so that a program starts fast. Each entry of `exports`
// is one file, with a source map and with its types in one file too. What entries share is in the entry that the others
// import (the one for the other packages of this repository), or is one more file. The folder `publish` of a package is
// what `publishConfig.directory` names.
//
//   node scripts/bundle.mjs [--out FOLDER] [--no-types] [PACKAGE…]
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const packages = fileURLToPath(new URL('../packages', import.meta.url))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, types: { type: 'boolean', default: true } },
  allowNegative: true,
})

/** Reads what TypeScript compiled, with its map: the map of the bundle then leads to the sources. */
const compiled = {
  name: 'compiled',
  load(id) {
    if (!existsSync(`${id}.map`)) return null
    const code = readFileSync(id, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
    return { code, map: readFileSync(`${id}.map`, 'utf8') }
  },
}

/**
 * Escapes every character that is not ASCII: V8 takes 1 % less for the start of a program then. What stands behind such
 * a character in its line is moved in the source map.
 */
const ascii = {
  name: 'ascii',
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type === 'chunk') file.code = file.code.replaceAll(/[^\0-\x7F]/g, escaped)
    }
  },
}

function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

for (const name of positionals.length > 0 ? positionals : readdirSync(packages)) {
  await publishable(name, values.out ? join(values.out, name) : join(packages, name, 'publish'))
}

/** Writes the published form of a package to `folder`. */
async function publishable(name, folder) {
  const from = join(packages, name)
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
  const entries = entriesOf(manifest, from)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })

  // A command loads its parts when they are needed.
  const chunks = (ending) => `${manifest.types ? 'shared' : '[name]'}.${ending}`
  const code = await rolldown({
    input: inputs(entries, (entry) => join(from, 'dist', `${entry}.js`)),
    external: isExternal,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [compiled, ascii],
  })
  await code.write({
    dir: join(folder, 'dist'),
    entryFileNames: '[name].js',
    chunkFileNames: chunks('js'),
    sourcemap: true,
    // Where the sources are in the package, wherever this form of it was written.
    sourcemapPathTransform: (path, map) => join('..', relative(from, resolve(join(map, '..'), path))),
  })
  await code.close()

  if (values.types && manifest.types) {
    const types = await rollup({
      input: inputs(entries, (entry) => join(from, 'dist', `${entry}.d.ts`)),
      external: isExternal,
      plugins: [dts()],
      onwarn: ({ message }) => {
        throw new Error(message)
      },
    })
    await types.write({
      dir: join(folder, 'dist'),
      entryFileNames: '[name].d.ts',
      chunkFileNames: chunks('d.ts'),
    })
    await types.close()
  }

  for (const file of ['README.md', 'LICENSE', ...manifest.files]) {
    if (file === 'dist' || !existsSync(join(from, file))) continue
    cpSync(join(from, file), join(folder, file), { recursive: true })
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published(manifest), undefined, 2)}\n`)
}

/** Returns the paths of the entries below `src`, without their endings. */
function entriesOf(manifest, from) {
  const files = Object.values(manifest.exports)
    .map((target) => target['@aurora-iam/source'])
    .filter(Boolean)
  const commands = Object.keys(manifest.bin ?? {}).length > 0 ? ['./src/cli.ts'] : []
  return [...files, ...commands]
    .map((file) => file.replace(/^\.\/src\/(.*)\.ts$/, '$1'))
    .filter((entry) => existsSync(join(from, 'src', `${entry}.ts`)))
}

function inputs(entries, pathOf) {
  return Object.fromEntries(entries.map((entry) => [entry, pathOf(entry)]))
}

/** Dependencies stay imports. What is relative or absolute is of this package. */
function isExternal(id) {
  return !/^[./]/.test(id)
}

/** Returns the package.json without what only this repository needs. */
function published({ devDependencies, publishConfig, exports, scripts, ...manifest }) {
  const { directory, linkDirectory, ...config } = publishConfig
  const targets = Object.entries(exports).map(([path, target]) => {
    if (typeof target === 'string') return [path, target]
    const { '@aurora-iam/source': source, ...conditions } = target
    return [path, conditions]
  })
  return { ...manifest, exports: Object.fromEntries(targets), publishConfig: config }
}
