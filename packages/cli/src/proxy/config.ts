import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MOST, MOST_PER_SECOND } from '../options/numbers.ts'
import type { OptionNames } from '../options/option-names.ts'
import { UsageError } from '../options/usage-error.ts'

/** One endpoint of a proxy: its address and its database. Paths are relative to the config file. */
export interface EndpointConfig {
  /** Name in logs and metrics. @defaultValue its address */
  readonly name?: string
  /** TCP address, such as `127.0.0.1:3307`. */
  readonly listen?: string
  /** Path of a Unix socket, which gets mode 0600. */
  readonly socket?: string
  readonly host: string
  readonly user: string
  readonly port?: number
  readonly hostname?: string
  readonly dial?: string
  readonly region?: string
  readonly profile?: string
  readonly ca?: string
  /** File with the password for clients. @defaultValue a one-time password, which is printed */
  readonly passwordFile?: string
  /** Certificate chain and key for clients, in PEM. Both or none. */
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly maxConnections?: number
  /** New connections to the database per second. */
  readonly limit?: number
  readonly maxWaitMs?: number
  readonly allowLocalInfile?: boolean
}

const PATHS = ['socket', 'ca', 'passwordFile', 'tlsCert', 'tlsKey'] as const
/** Numbers, with the largest of each, as the options of the command line have it. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['port', 65_535],
  ['maxConnections', MOST],
  ['limit', MOST_PER_SECOND],
  ['maxWaitMs', MOST],
])
const TEXTS: ReadonlySet<string> = new Set([
  'name',
  'listen',
  'host',
  'user',
  'hostname',
  'dial',
  'region',
  'profile',
  ...PATHS,
])

/**
 * Reads a config file: `{ "endpoints": [{ … }] }` with the properties of {@link EndpointConfig}.
 *
 * @throws {@link UsageError} which names the property, and quotes no value
 */
export function readConfigFile(path: string): readonly EndpointConfig[] {
  const fail = (where: string, problem: string): never => {
    throw new UsageError(`${path}: ${where}: ${problem}`)
  }
  let document: unknown
  try {
    document = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `--config: ${path} ${code === undefined ? 'is not JSON' : `cannot be read (${code})`}.`,
    )
  }
  const { endpoints, ...others } = asObject(document) ?? fail('the file', 'expected an object.')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) fail(unknown, 'is not known. Known: endpoints.')
  if (!Array.isArray(endpoints) || endpoints.length === 0)
    return fail('endpoints', 'expected a list of one or more.')
  return endpoints.map((value, index) => {
    const where = `endpoints[${index}]`
    const endpoint = asObject(value) ?? fail(where, 'expected an object.')
    for (const [name, given] of Object.entries(endpoint)) {
      const isRight = NUMBERS.has(name)
        ? isWholeNumber(given, NUMBERS.get(name) as number)
        : TEXTS.has(name)
          ? typeof given === 'string' && given !== ''
          : name === 'allowLocalInfile'
            ? typeof given === 'boolean'
            : fail(
                `${where}.${name}`,
                `is not known. Known: ${[...TEXTS, ...NUMBERS.keys(), 'allowLocalInfile'].join(', ')}.`,
              )
      if (!isRight) fail(`${where}.${name}`, `expected ${expectation(name)}.`)
    }
    for (const name of ['host', 'user'])
      if (!Object.hasOwn(endpoint, name)) fail(`${where}.${name}`, 'is missing.')
    return withResolvedPaths(endpoint as unknown as EndpointConfig, dirname(path))
  })
}

function expectation(name: string): string {
  if (NUMBERS.has(name)) return `a whole number from 1 to ${NUMBERS.get(name)}`
  return TEXTS.has(name) ? 'a string with characters' : 'true or false'
}

function isWholeNumber(value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most
}

/** Returns the names of the options of an endpoint in a config file. */
export function configNames(path: string, index: number): OptionNames {
  return { setAs: (option) => `${path}: endpoints[${index}].${option}`, giveAs: (option) => option }
}

function withResolvedPaths(endpoint: EndpointConfig, folder: string): EndpointConfig {
  const paths = PATHS.flatMap((name) => {
    const path = endpoint[name]
    return path === undefined ? [] : [[name, resolve(folder, path)]]
  })
  return { ...endpoint, ...Object.fromEntries(paths) }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
