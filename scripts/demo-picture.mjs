// Runs the demo and draws what it prints into docs/demo.svg.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const LINE = 17
const COLUMN = 8.4
const COLOURS = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341' }

const { NODE_DISABLE_COLORS: _, NO_COLOR: __, ...env } = process.env
const demo = spawnSync(process.execPath, [join(root, 'examples/demo/dist/main.js')], {
  env: { ...env, FORCE_COLOR: '1' },
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
})
if (demo.status !== 0) process.exit(demo.status ?? 1)

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Returns the parts of a line, each with the styles that the terminal would give it. */
function partsOf(line) {
  const parts = []
  let style = ''
  for (const [index, piece] of line.split('\u001b[').entries()) {
    const [, code, text] =
      index === 0 ? [piece, '0', piece] : (/^(\d+)m(.*)$/.exec(piece) ?? [piece, '0', piece])
    if (COLOURS[code]) style = ` fill="${COLOURS[code]}"`
    else if (code === '1') style = ' font-weight="bold" fill="#ffffff"'
    else if (code === '2') style = ' fill="#8b949e"'
    else style = ''
    if (text !== '') parts.push(`<tspan${style}>${escaped(text)}</tspan>`)
  }
  return parts.join('')
}

const lines = `$ npm run demo\n\n${demo.stdout.trimEnd()}`.split('\n')
const plain = lines.map(stripVTControlCharacters)
const width = Math.ceil(Math.max(...plain.map((line) => line.length)) * COLUMN) + 32
const height = lines.length * LINE + 32
const texts = lines.map((line, index) => `<text x="16" y="${28 + index * LINE}">${partsOf(line)}</text>`)
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>Output of npm run demo</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9" xml:space="preserve">
${texts.join('\n')}
</g>
</svg>
`
writeFileSync(join(root, 'docs/demo.svg'), svg)
process.stdout.write(`docs/demo.svg: ${lines.length} lines\n`)
