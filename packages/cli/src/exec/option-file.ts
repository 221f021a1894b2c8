import type { Endpoint } from './environment.ts'

/**
 * Returns an option file for MySQL's own programs. They have no variable for the user. The file of a system may name a
 * socket, which wins over the variable for it. The password has a variable, and is in no file.
 *
 * @see https://dev.mysql.com/doc/refman/8.0/en/option-files.html
 */
export function optionFile({ user, host, port, socket, database }: Endpoint): string {
  const client = { user, host, port: String(port), ...(socket && { socket }) }
  return optionGroup('client', client) + (database && optionGroup('mysql', { database }))
}

// A line break in a name would begin another option.
const SPECIAL = /["\\\n\r]/g

function escaped(character: string): string {
  return `\\${{ '\n': 'n', '\r': 'r' }[character] ?? character}`
}

function optionGroup(name: string, options: Readonly<Record<string, string>>): string {
  const lines = Object.entries(options).map(([key, value]) => `${key}="${value.replace(SPECIAL, escaped)}"\n`)
  return `[${name}]\n${lines.join('')}`
}
