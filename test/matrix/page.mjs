import { writeFileSync } from 'node:fs'

/** Packages that a library needs beside it. Their versions are in the results, and not on the page. */
const HELPERS = new Set([
  'reflect-metadata',
  'rxjs',
  '@nestjs/common',
  '@nestjs/typeorm',
  '@prisma/adapter-mariadb',
])

/** Writes the page from the results of the cells. A cell without a result says so. */
export function writePage(path, results) {
  const rows = results.map(({ cell, result }) => [
    result?.runtime ?? cell.runtime,
    result?.versions
      ? Object.entries(result.versions)
          .filter(([name]) => !HELPERS.has(name))
          .map(([name, version]) => `${name} ${version}`)
          .reverse()
          .join(', ')
      : cell.shown,
    result === undefined ? 'not run' : result.ok ? 'passed' : `**failed**: ${summary(result.reason)}`,
    result?.at ?? '',
  ])
  const head = ['Runtime', 'Library', 'Result', 'Run on']
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)))
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const ran = results.flatMap(({ result }) => result ?? [])
  const passed = ran.filter(({ ok }) => ok).length
  const notRun = results.length - ran.length
  const counts = [
    `${passed} of the ${results.length} rows ran and passed`,
    ...(ran.length > passed ? [`${ran.length - passed} ran and failed`] : []),
    ...(notRun > 0 ? [`${notRun} were not run, and nothing is claimed for them`] : []),
  ]
  writeFileSync(
    path,
    `# Compatibility

\`npm run test:matrix\` writes this page. Each row is an empty project: the packed packages that it needs, one version of
a library, one runtime. A program opens two connections, queries, and opens another one. Then a server with a
certificate for another name must get no token. Local Aurora runs beside it, on Node 20: it does not run under Bun.

${counts.join('. ')}.

The rows are the oldest and the newest version of every range that the packages declare, and the runtimes. A library
without a range of ours has one row: what was newest when the row was written.

${line(head)}
| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |
${rows.map(line).join('\n')}
`,
  )
}

function summary(reason = '') {
  const [line = ''] = reason.split('\n').filter((one) => /error/i.test(one))
  return (line || reason.split('\n')[0] || 'no reason')
    .replaceAll('|', '\\|')
    .replaceAll(/\/\S+\//g, '')
    .slice(0, 80)
}
