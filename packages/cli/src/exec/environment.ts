import { UsageError } from '../options/usage-error.ts'

/** Address, user and password by which the command reaches the gateway. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  /** Path of the Unix socket; empty where there is none. */
  readonly socket: string
  readonly user: string
  readonly password: string
  /** Name of the database; empty for none. */
  readonly database: string
  /** Folder with an option file for MySQL's own programs, which have no variable for the user. */
  readonly optionFolder: string
}

/** A variable to set, with a template for its value. */
export interface EnvironmentTemplate {
  readonly name: string
  readonly template: string
}

/**
 * Returns the parts of `NAME=TEMPLATE`.
 *
 * @throws {@link UsageError} for another form, and for a placeholder that is not known
 */
export function readTemplate(text: string): EnvironmentTemplate {
  const [, name, template] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? []
  if (name === undefined || template === undefined)
    throw new UsageError(
      "--env: expected NAME=TEMPLATE, as in 'FLYWAY_URL=jdbc:mysql://{host}:{port}/{database}'.",
    )
  for (const [placeholder, field] of template.matchAll(/\{(\w+)\}/g)) {
    if (!FIELDS.has(field as string))
      throw new UsageError(
        `--env: ${placeholder} is not known. Known: ${[...FIELDS].map((known) => `{${known}}`).join(', ')}.`,
      )
  }
  return { name, template }
}

const FIELDS: ReadonlySet<string> = new Set(['url', 'host', 'port', 'socket', 'user', 'password', 'database'])

/** Returns the variables that tools read, and those of the templates. */
export function environmentFor(
  endpoint: Endpoint,
  templates: readonly EnvironmentTemplate[],
  inherited: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const { host, user, password, database, socket, optionFolder } = endpoint
  const port = String(endpoint.port)
  const url = urlOf(endpoint)
  const fields: Readonly<Record<string, string>> = { url, host, port, socket, user, password, database }
  return {
    ...inherited,
    // Prisma, Drizzle Kit, dbmate and most frameworks
    DATABASE_URL: url,
    // MySQL's and MariaDB's own programs
    MYSQL_HOST: host,
    MYSQL_TCP_PORT: port,
    MYSQL_UNIX_PORT: socket || undefined,
    MYSQL_PWD: password,
    MYSQL_HOME: inherited.MYSQL_HOME ?? optionFolder,
    // Names that images and frameworks have in common
    MYSQL_PORT: port,
    MYSQL_USER: user,
    MYSQL_PASSWORD: password,
    MYSQL_DATABASE: database || undefined,
    ...Object.fromEntries(
      templates.map(({ name, template }) => [
        name,
        template.replace(/\{(\w+)\}/g, (placeholder, field) => fields[field] ?? placeholder),
      ]),
    ),
  }
}

function urlOf({ host, port, user, password, database }: Endpoint): string {
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  return `mysql://${credentials}@${host}:${port}/${encodeURIComponent(database)}`
}
