// The cells of the compatibility matrix: each is a runtime, an adapter, and the versions that are installed for it.

/** The oldest version of every peer range, and the newest that is known to work. `--newest` takes what npm has now. */
const MYSQL2 = ['3.15.3', '3.24.6']
const KNEX = ['3.0.1', '3.3.0']
const TYPEORM = ['0.3.20', '1.1.1']
const IOREDIS = ['4.31.0', '6.0.0']
const REDIS = ['4.7.1', '6.3.1']

/** Runtimes, as packages of npm whose program runs the probe. */
export const RUNTIMES = [
  { name: 'Node 20', package: 'node', version: '20' },
  { name: 'Node 22', package: 'node', version: '22' },
  { name: 'Node 24', package: 'node', version: '24' },
  { name: 'Node 26', package: 'node', version: '26' },
  { name: 'Bun', package: 'bun', version: 'latest' },
  { name: 'Deno', package: 'deno', version: 'latest' },
]

/** Keeps a library on the major that its probe is written for: `--newest` then takes the newest of it. */
const staysOn = (major) => (library) => ({ ...library, newest: major })

const scoped = (...names) => names.map((name) => `@aurora-iam/${name}`)

const BASE = scoped('core', 'rate-limit', 'mysql2')
const OURS = {
  knex: [...BASE, ...scoped('knex')],
  objection: [...BASE, ...scoped('knex')],
  typeorm: [...BASE, ...scoped('typeorm')],
  nestjs: [...BASE, ...scoped('typeorm')],
  prisma: scoped('core', 'rate-limit', 'prisma'),
  'mikro-orm-cli': [...BASE, ...scoped('local', 'wire'), 'aurora-iam'],
}

/** Returns the packages that a probe needs. The others would bring peers that a version of its library excludes. */
export const packagesOf = (probe) => OURS[probe] ?? BASE

const ends = (probe, name, versions, beside = {}) =>
  versions.map((version) => ({ probe, install: { ...beside, [name]: version }, shown: `${name} ${version}` }))

/** Libraries that are probed on Node 20: the ends of each range. The runtimes are probed with the newest of each. */
export const LIBRARIES = [
  ...ends('mysql2', 'mysql2', MYSQL2),
  ...ends('knex', 'knex', KNEX, { mysql2: MYSQL2[1] }),
  ...ends('typeorm', 'typeorm', TYPEORM, { mysql2: MYSQL2[1], 'reflect-metadata': '0.2.2' }),
  ...ends('drizzle', 'drizzle-orm', ['0.45.4', '1.0.0-rc.5'], { mysql2: MYSQL2[1] }),
  ...ends('kysely', 'kysely', ['0.28.18', '0.29.9'], { mysql2: MYSQL2[1] }),
  ...ends('sequelize', 'sequelize', ['6.37.8'], { mysql2: MYSQL2[1] }),
  ...ends('sequelize-7', '@sequelize/core', ['7.0.0-alpha.48'], { '@sequelize/mysql': '7.0.0-alpha.48' }),
  ...ends('mikro-orm-6', '@mikro-orm/mysql', ['6.6.7'], { '@mikro-orm/core': '6.6.7' }).map(staysOn('6')),
  ...ends('prisma', '@prisma/client', ['7.10.0'], {
    '@prisma/adapter-mariadb': '7.10.0',
    prisma: '7.10.0',
  }).map(staysOn('7')),
  ...ends('nestjs', '@nestjs/core', ['12.5.1'], {
    '@nestjs/common': '12.5.1',
    '@nestjs/typeorm': '12.0.2',
    'reflect-metadata': '0.2.2',
    rxjs: '7.8.2',
    typeorm: TYPEORM[1],
    mysql2: MYSQL2[1],
  }),
  ...ends('objection', 'objection', ['3.1.5'], { mysql2: MYSQL2[1], knex: KNEX[1] }),
  ...ends('ioredis', 'ioredis', IOREDIS, { mysql2: MYSQL2[1] }),
  ...ends('node-redis', 'redis', REDIS, { mysql2: MYSQL2[1] }),
]

/** Probes that need another runtime than Node 20. */
export const ELSEWHERE = [
  ...ends('mikro-orm', '@mikro-orm/mysql', ['7.2.1'], { '@mikro-orm/core': '7.2.1' }),
  ...ends('mikro-orm-cli', '@mikro-orm/cli', ['7.2.1'], {
    '@mikro-orm/core': '7.2.1',
    '@mikro-orm/mysql': '7.2.1',
  }),
].map((library) => ({ ...library, runtime: 'Node 22' }))

/** The probes that each runtime runs. */
const ON_EACH_RUNTIME = ['mysql2', 'knex', 'typeorm']

/** Returns every cell, with an identity that names its result file. */
export function cells({ newest = false } = {}) {
  const node20 = LIBRARIES.map((library) => ({ ...library, runtime: 'Node 20' }))
  const others = ON_EACH_RUNTIME.flatMap((probe) =>
    RUNTIMES.slice(1).map(({ name }) => ({
      ...LIBRARIES.findLast((library) => library.probe === probe),
      runtime: name,
    })),
  )
  const all = [...others, ...node20, ...ELSEWHERE].map((cell) => {
    const install = newest
      ? Object.fromEntries(Object.keys(cell.install).map((name) => [name, cell.newest ?? 'latest']))
      : cell.install
    const id = `${cell.runtime} ${cell.probe} ${Object.values(install).join(' ')}`.replaceAll(/[^\w.]+/g, '-')
    if (!newest) return { ...cell, install, id }
    const [library, wanted] = Object.entries(install).at(-1)
    return { ...cell, install, id: `newest-${id}`, shown: `${library} ${wanted}` }
  })
  // The ends of a range are one cell where only the newest is wanted.
  return [...new Map(all.map((cell) => [cell.id, cell])).values()]
}
