import { LONGEST, PHRASES, proseOf } from './words.mjs'

/**
 * Checks the prose of a Markdown file, outside code, and the length of its lines and table cells.
 *
 * @returns {Array<{ line: number, message: string }>}
 */
export function checkMarkdown(text) {
  const found = []
  let fence
  for (const [index, line] of text.split('\n').entries()) {
    const report = (message) => found.push({ line: index + 1, message })
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark !== undefined) fence = fence === undefined ? mark : line.trim() === fence ? undefined : fence
    if (fence !== undefined || mark !== undefined) continue

    for (const [phrase, instead] of PHRASES) {
      const match = phrase.exec(proseOf(line))
      if (match) report(`"${match[0]}": write ${instead}`)
    }
    for (const part of partsOf(line)) {
      if (visible(part).length > LONGEST) report(`${visible(part).length} characters, more than ${LONGEST}`)
    }
  }
  return found
}

function partsOf(line) {
  if (!line.startsWith('|')) return [line]
  return line.split(/(?<!\\)\|/).map((cell) => cell.trim())
}

/** Returns `text` without the targets of its links, which cannot be broken over lines. */
function visible(text) {
  return text.replaceAll(/\]\([^)]*\)/g, ']()').replaceAll(/<https?:[^>]*>/g, '<>')
}
