import { styleText } from 'node:util'
import type { CliOutput } from './output.ts'

/** Formats of `node:util` that the commands use. */
export type Format = Parameters<typeof styleText>[0]

/** Returns `text` in the given format where standard output shows colours, and unchanged elsewhere. */
export function paint(output: CliOutput, format: Format, text: string): string {
  // `output` decides, which a test replaces, and not the process.
  return output.isColourful ? styleText(format, text, { validateStream: false }) : text
}
