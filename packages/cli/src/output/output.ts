/** The two streams that a command writes to. */
export interface CliOutput {
  /** Writes to standard output: the result, and nothing else. */
  out(text: string): void
  /** Writes to standard error: messages, progress and errors. */
  error(text: string): void
  /** True if standard output is a terminal that shows colours. @defaultValue false */
  readonly isColourful?: boolean
  /** True if standard error is a terminal, so that one line can be rewritten. @defaultValue false */
  readonly isInteractive?: boolean
}

/** Writes `value` as indented JSON. */
export function writeJson(output: CliOutput, value: unknown): void {
  output.out(`${JSON.stringify(value, undefined, 2)}\n`)
}
