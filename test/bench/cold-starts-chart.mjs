// Draws the chart of the README of rate-limit from what `npm run soak` wrote.
import { readFile, writeFile } from 'node:fs/promises'

const read = async (name) => JSON.parse(await readFile(new URL(`results/${name}`, import.meta.url), 'utf8'))

const WIDTH = 720
const ROW = 22
const LEFT = 320

/** Returns the chart as SVG: for each cold start, the most logins in a sliding second as a multiple of the limit. */
export async function drawColdStarts() {
  const bars = [
    ...(await read('cold-starts-0.1.json')).map((result) => ({
      ...result,
      release: '0.1',
      colour: '#c2410c',
    })),
    ...(await read('cold-starts.json'))
      .filter(({ loginsEach }) => loginsEach === 1)
      .map((result) => ({ ...result, on: 'virtual time', release: 'now', colour: '#15803d' })),
  ].sort(
    (one, other) =>
      one.limit - other.limit ||
      one.processes - other.processes ||
      one.overMs - other.overMs ||
      one.release.localeCompare(other.release),
  )
  const scale = (WIDTH - LEFT - 110) / Math.max(...bars.map(({ most, limit }) => most / limit))
  const rows = bars.map(({ limit, processes, overMs, most, release, on, colour }, index) => {
    const y = 40 + index * ROW
    const label = `limit ${limit}, ${processes} in ${overMs / 1000} s (${release}, ${on})`
    return (
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${label}</text>` +
      `<rect x="${LEFT}" y="${y + 2}" width="${((most / limit) * scale).toFixed(1)}" height="14" fill="${colour}"/>` +
      `<text x="${(LEFT + 6 + (most / limit) * scale).toFixed(1)}" y="${y + 13}">${most} of ${limit}</text>`
    )
  })
  const height = 56 + bars.length * ROW
  const line = `<line x1="${LEFT + scale}" y1="32" x2="${LEFT + scale}" y2="${height - 10}" stroke="#64748b" stroke-dasharray="4 3"/>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Most logins in a sliding second, by cold start</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    '<text x="12" y="22" font-weight="bold">Most logins in a sliding second; the line is the limit</text>',
    line,
    ...rows,
    '</svg>\n',
  ].join('\n')
}

export const chartFile = new URL('../../packages/rate-limit/cold-starts.svg', import.meta.url)

if (process.argv[1] === new URL(import.meta.url).pathname) await writeFile(chartFile, await drawColdStarts())
