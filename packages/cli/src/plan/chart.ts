import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import type { Limiter, Outcome } from './simulate.ts'

/** Names of the limiters in tables and charts. */
export const LIMITER_NAMES: Readonly<Record<Limiter, string>> = {
  none: 'no limiter',
  process: 'one per process',
  fleet: 'fleet store',
}

const BARS = '▁▂▃▄▅▆▇█'
const COLUMNS = 60

/** Returns one line of bars for each outcome: open connections over one time axis. */
export function terminalChart(outcomes: readonly Outcome[]): string {
  const { endMs, most } = extent(outcomes)
  return outcomes
    .map(({ limiter, timeline }) => {
      let index = 0
      let open = 0
      const bars = Array.from({ length: COLUMNS }, (_, column) => {
        const untilMs = ((column + 1) / COLUMNS) * endMs
        while (index < timeline.length && (timeline[index]?.atMs ?? 0) <= untilMs)
          open = timeline[index++]?.open ?? open
        return BARS[Math.min(BARS.length - 1, Math.floor((open / most) * (BARS.length - 1) + 0.5))]
      })
      return `  ${LIMITER_NAMES[limiter].padEnd(16)} ${bars.join('')}\n`
    })
    .join('')
}

const SIZE = { width: 720, height: 360, left: 64, right: 16, top: 40, bottom: 48 } as const
const COLOURS: Readonly<Record<Limiter, string>> = { none: '#c0392b', process: '#d68910', fleet: '#1e8449' }

/** Returns an SVG with the open connections over time, one line for each limiter. */
export function svgChart(title: string, outcomes: readonly Outcome[]): string {
  const { endMs, most } = extent(outcomes)
  const { width, height, left, right, top, bottom } = SIZE
  const x = scaleLinear([0, endMs / 1000], [left, width - right]).nice()
  const y = scaleLinear([0, most], [height - bottom, top]).nice()
  const path = line<{ readonly atMs: number; readonly open: number }>(
    ({ atMs }) => x(atMs / 1000),
    ({ open }) => y(open),
  )
  const ticks = [
    ...x
      .ticks(6)
      .map((tick) => `<text x="${x(tick)}" y="${height - bottom + 18}" text-anchor="middle">${tick}</text>`),
    ...y.ticks(5).map((tick) => `<text x="${left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`),
    ...y.ticks(5).map((tick) => `<path d="M${left},${y(tick)}H${width - right}" stroke="#ddd"/>`),
  ]
  const series = outcomes.map(({ limiter, timeline }, index) => {
    const colour = COLOURS[limiter]
    const label = `<text x="${left + 12}" y="${top + 16 + index * 18}" fill="${colour}">${LIMITER_NAMES[limiter]}</text>`
    return `<path d="${path([...timeline])}" fill="none" stroke="${colour}" stroke-width="2"/>${label}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${left}" y="20" font-size="14">${title}</text>
${ticks.join('\n')}
${series.join('\n')}
<text x="${width / 2}" y="${height - 10}" text-anchor="middle">seconds</text>
</svg>
`
}

function extent(outcomes: readonly Outcome[]): { endMs: number; most: number } {
  const points = outcomes.flatMap(({ timeline }) => timeline)
  return {
    endMs: points.reduce((most, { atMs }) => Math.max(most, atMs), 1),
    most: points.reduce((most, { open }) => Math.max(most, open), 1),
  }
}
