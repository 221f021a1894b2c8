// Draws the charts of a run as SVG, from its results.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

const OURS = '#15803d'
const OTHERS = '#64748b'
const LOST = '#c2410c'
const LEFT = 210

/** Draws the charts whose parts have results. Returns the paths of the files. */
export function drawCharts(parts, folder) {
  mkdirSync(folder, { recursive: true })
  const charts = {
    connect: parts.connect && connectChart(parts.connect),
    'connect-instructions': parts.instructions && connectInstructionsChart(parts.instructions),
    'cold-start': parts['cold-start'] && coldStartChart(parts['cold-start']),
    'start-instructions': parts['start-instructions'] && startInstructionsChart(parts['start-instructions']),
    storm: parts.storm && stormChart(parts.storm),
    'lost-operations': parts.rotation && lostOperationsChart(parts.rotation),
  }
  return Object.entries(charts).flatMap(([name, plot]) => {
    if (!plot) return []
    const file = join(folder, `${name}.svg`)
    writeFileSync(file, svgOf(plot))
    return [file]
  })
}

function connectChart({ measures }) {
  const [{ contenders }] = measures
  const bars = contenders
    .filter(({ cpuRatio }) => cpuRatio)
    .map(({ name, floor, cpuRatio }) => ({ name, floor, ...cpuRatio }))
  return barsWithSpread(bars, {
    title:
      'Client CPU of a new connection, one at a time. 1 is the same driver without IAM; lines show half of the blocks',
    label: 'times the bare driver',
  })
}

function coldStartChart({ contenders }) {
  const bars = contenders
    .filter(({ cpuRatio }) => cpuRatio)
    .map(({ name, cpuRatio }) => ({ name, ...cpuRatio }))
  return barsWithSpread(bars, {
    title: 'CPU from the start of a process to its first row. 1 is mysql2 with the signer of AWS',
    label: 'times the recipe',
  })
}

function connectInstructionsChart({ measures }) {
  const bars = measures.flatMap(({ name: measure, contenders }) =>
    contenders.map(({ name, ratio }) => ({ ...exactly(ratio), name: `${name}, ${measure}`, isOurs: true })),
  )
  return barsWithSpread(bars, {
    title: 'Instructions of a new connection with aurora-iam. 1 is the same driver without IAM',
    label: 'times the bare driver',
  })
}

function startInstructionsChart({ contenders }) {
  const bars = contenders.filter(({ ratio }) => ratio).map(({ name, ratio }) => ({ ...exactly(ratio), name }))
  return barsWithSpread(bars, {
    title: 'Instructions from the start of a process to its first row. 1 is mysql2 with the signer of AWS',
    label: 'times the recipe',
  })
}

function exactly(ratio) {
  return { median: ratio, low: ratio, high: ratio }
}

function barsWithSpread(bars, { title, label }) {
  return {
    title,
    options: {
      marginLeft: LEFT,
      height: 60 + 26 * bars.length,
      x: { label, domain: [0, Math.max(...bars.map(({ high }) => high)) * 1.1], grid: true },
      y: { label: null, domain: bars.map(({ name }) => name) },
      marks: [
        Plot.barX(bars, { x: 'median', y: 'name', fill: colourOf, insetTop: 4, insetBottom: 4 }),
        Plot.ruleY(bars, { x1: 'low', x2: 'high', y: 'name', stroke: '#0f172a' }),
        Plot.text(bars, {
          x: 'high',
          y: 'name',
          text: ({ median, low, high }) => median.toFixed(low === high ? 3 : 2),
          textAnchor: 'start',
          dx: 6,
          fill: '#0f172a',
        }),
        Plot.ruleX([1], { stroke: '#0f172a', strokeDasharray: '4 3' }),
      ],
    },
  }
}

function stormChart({ count, limit, contenders }) {
  const bars = contenders.flatMap(({ name, accepted, failed }) => [
    { name, outcome: 'in', logins: accepted },
    { name, outcome: 'failed', logins: failed },
  ])
  return {
    title: `${count} logins at once at a server that takes ${limit} a second`,
    options: {
      marginLeft: LEFT,
      height: 90 + 26 * contenders.length,
      color: { domain: ['in', 'failed'], range: [OURS, LOST], legend: false },
      x: { label: 'logins: in (green), failed (red)', grid: true },
      y: { label: null, domain: contenders.map(({ name }) => name) },
      marks: [
        Plot.barX(bars, { x: 'logins', y: 'name', fill: 'outcome', insetTop: 4, insetBottom: 4 }),
        Plot.text(contenders, {
          x: count,
          y: 'name',
          text: ({ densestSecond }) => `${densestSecond} in the densest second`,
          textAnchor: 'end',
          dx: -6,
          fill: '#fff',
        }),
      ],
    },
  }
}

const EVENTS = {
  aged: '16 minutes later',
  rotated: 'credentials rotated',
  refused: 'all refused',
  after: 'after that',
}

function lostOperationsChart({ windowMs, contenders }) {
  const bars = contenders.flatMap((contender) =>
    Object.entries(EVENTS).map(([field, event]) => ({ name: contender.name, event, lost: contender[field] })),
  )
  return {
    title: `Operations lost in the ${windowMs / 1_000} seconds after each event, of ${contenders[0].operations}`,
    options: {
      marginLeft: LEFT,
      width: 860,
      height: 110 + 26 * contenders.length,
      fx: { label: null, domain: Object.values(EVENTS) },
      x: { label: 'lost', ticks: 3, grid: true },
      y: { label: null, domain: contenders.map(({ name }) => name) },
      marks: [
        Plot.barX(bars, { fx: 'event', x: 'lost', y: 'name', fill: LOST, insetTop: 4, insetBottom: 4 }),
        Plot.text(bars, {
          fx: 'event',
          x: 'lost',
          y: 'name',
          text: 'lost',
          textAnchor: 'start',
          dx: 4,
          fill: '#0f172a',
        }),
      ],
    },
  }
}

function colourOf({ name, isOurs = name.includes('aurora-iam') }) {
  return isOurs ? OURS : OTHERS
}

function svgOf({ title, options }) {
  const { document } = parseHTML('<html><body></body></html>')
  const plot = Plot.plot({
    document,
    width: 760,
    marginTop: 40,
    style: { background: '#fff', color: '#0f172a', fontFamily: 'sans-serif', fontSize: '12px' },
    ...options,
  })
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'text')
  heading.setAttribute('x', '12')
  heading.setAttribute('y', '18')
  heading.setAttribute('font-weight', 'bold')
  heading.setAttribute('text-anchor', 'start')
  heading.setAttribute('fill', '#0f172a')
  heading.textContent = title
  const svg = plot.tagName.toLowerCase() === 'svg' ? plot : plot.querySelector('svg')
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  const label = document.createElementNS('http://www.w3.org/2000/svg', 'title')
  label.textContent = title
  const background = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  background.setAttribute('width', '100%')
  background.setAttribute('height', '100%')
  background.setAttribute('fill', '#fff')
  svg.prepend(label, background)
  svg.append(heading)
  // Plot declares the height twice, the second time in words that no browser needs any more.
  return `${svg.outerHTML.replace(/\n\s*height: intrinsic;/, '')}\n`
}
