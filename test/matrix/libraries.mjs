// How each library opens a client with IAM. Only the library of the cell is installed, so each is imported when it is
// used.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const poolOf = async (address, iam) => {
  const { withAuroraIam } = await import('@aurora-iam/mysql2')
  const { createPool } = await import('mysql2/promise')
  return createPool(withAuroraIam(address, iam))
}

const callbackPool = async (address, iam) => {
  const { withAuroraIam } = await import('@aurora-iam/mysql2')
  const { default: mysql } = await import('mysql2')
  return mysql.createPool(withAuroraIam(address, iam))
}

const onPool = (pool) => ({
  query: async (sql) => (await pool.query(sql))[0],
  close: () => pool.end(),
})

const knexOf = async (address, iam) => {
  const { withAuroraIam } = await import('@aurora-iam/knex')
  const { default: knex } = await import('knex')
  return knex(withAuroraIam({ client: 'mysql2', connection: address }, iam))
}

const withStore = async (address, iam, store) =>
  onPool(await poolOf(address, { ...iam, rateLimit: { limit: 20, store } }))

/** Opens a client of each library: a query, and the end. */
export const OPEN = {
  mysql2: async (address, iam) => onPool(await poolOf(address, iam)),
  knex: async (address, iam) => {
    const db = await knexOf(address, iam)
    return { query: async (sql) => (await db.raw(sql))[0], close: () => db.destroy() }
  },
  objection: async (address, iam) => {
    const db = await knexOf(address, iam)
    const { Model } = await import('objection')
    Model.knex(db)
    return { query: async (sql) => (await Model.knex().raw(sql))[0], close: () => db.destroy() }
  },
  typeorm: async ({ user: username, ...address }, iam) => {
    await import('reflect-metadata')
    const { withAuroraIam } = await import('@aurora-iam/typeorm')
    const { DataSource } = await import('typeorm')
    const source = new DataSource(withAuroraIam({ type: 'mysql', username, ...address, entities: [] }, iam))
    await source.initialize()
    return { query: (sql) => source.query(sql), close: () => source.destroy() }
  },
  drizzle: async (address, iam) => {
    const { drizzle } = await import('drizzle-orm/mysql2')
    const { sql } = await import('drizzle-orm')
    const pool = await poolOf(address, iam)
    const db = drizzle({ client: pool })
    return { query: async (text) => (await db.execute(sql.raw(text)))[0], close: () => pool.end() }
  },
  kysely: async (address, iam) => {
    const { CompiledQuery, Kysely, MysqlDialect } = await import('kysely')
    const db = new Kysely({ dialect: new MysqlDialect({ pool: await callbackPool(address, iam) }) })
    return {
      query: async (text) => (await db.executeQuery(CompiledQuery.raw(text))).rows,
      close: () => db.destroy(),
    }
  },
  sequelize: async ({ database, ...address }, iam) => {
    const { withAuroraIam } = await import('@aurora-iam/mysql2')
    const { QueryTypes, Sequelize } = await import('sequelize')
    const dialectOptions = withAuroraIam(address, iam)
    const sequelize = new Sequelize({ dialect: 'mysql', database, dialectOptions, logging: false })
    return {
      query: (sql) => sequelize.query(sql, { type: QueryTypes.SELECT }),
      close: () => sequelize.close(),
    }
  },
  'sequelize-7': async ({ host, port, user, database }, iam) => {
    const { withAuroraIam } = await import('@aurora-iam/mysql2')
    const { QueryTypes, Sequelize } = await import('@sequelize/core')
    const { MySqlDialect } = await import('@sequelize/mysql')
    const options = withAuroraIam({ host, port, user, database }, iam)
    const sequelize = new Sequelize({ dialect: MySqlDialect, ...options, logging: false })
    return {
      query: (sql) => sequelize.query(sql, { type: QueryTypes.SELECT }),
      close: () => sequelize.close(),
    }
  },
  'mikro-orm-6': async ({ database: dbName, ...address }, iam) => {
    const { withAuroraIam } = await import('@aurora-iam/mysql2')
    const { MikroORM } = await import('@mikro-orm/mysql')
    const orm = await MikroORM.init({
      entities: [],
      discovery: { warnWhenNoEntities: false },
      dbName,
      driverOptions: { connection: withAuroraIam(address, iam) },
    })
    return { query: (sql) => orm.em.getConnection().execute(sql), close: () => orm.close() }
  },
  prisma: async (address, iam) => {
    const { auroraIam } = await import('@aurora-iam/prisma')
    const { PrismaClient } = await import('@prisma/client')
    const prisma = new PrismaClient({ adapter: auroraIam(address, iam).adapter })
    return { query: (sql) => prisma.$queryRawUnsafe(sql), close: () => prisma.$disconnect() }
  },
  nestjs: async ({ user: username, ...address }, iam) => {
    await import('reflect-metadata')
    const { withAuroraIam } = await import('@aurora-iam/typeorm')
    const { NestFactory } = await import('@nestjs/core')
    const { TypeOrmModule } = await import('@nestjs/typeorm')
    const { DataSource } = await import('typeorm')
    const options = withAuroraIam({ type: 'mysql', username, ...address, entities: [] }, iam)
    class AppModule {}
    const module = { module: AppModule, imports: [TypeOrmModule.forRoot({ ...options, retryAttempts: 0 })] }
    const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })
    return { query: (sql) => app.get(DataSource).query(sql), close: () => app.close() }
  },
  'mikro-orm': async ({ database: dbName, ...address }, iam) => {
    const { withAuroraIam } = await import('@aurora-iam/mysql2')
    const { EntitySchema, MikroORM } = await import('@mikro-orm/mysql')
    const entity = new EntitySchema({ name: 'Note', properties: { id: { type: 'number', primary: true } } })
    const orm = await MikroORM.init({
      entities: [entity],
      dbName,
      driverOptions: withAuroraIam(address, iam),
    })
    return { query: (sql) => orm.em.getConnection().execute(sql), close: () => orm.close() }
  },
  // Its command line under `aurora-iam exec`: the table that it creates must be there.
  'mikro-orm-cli': async (address, iam) => {
    const { host, port, user, database } = address
    const { hostname, ca, region, credentials } = iam
    await writeFile('ca.pem', ca)
    await writeFile(
      'mikro-orm.config.js',
      `import { defineConfig, EntitySchema } from '@mikro-orm/mysql'
const Planet = new EntitySchema({ name: 'Planet', properties: { id: { type: 'number', primary: true } } })
export default defineConfig({ clientUrl: process.env.DATABASE_URL, entities: [Planet] })`,
    )
    const target = { host, port, hostname, user, database, ca: 'ca.pem' }
    const options = Object.entries(target).flatMap(([name, value]) => [`--${name}`, `${value}`])
    const tool = [process.execPath, 'node_modules/@mikro-orm/cli/cli.js', 'schema:update', '--run']
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    const env = {
      ...process.env,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...(sessionToken && { AWS_SESSION_TOKEN: sessionToken }),
    }
    const exec = ['node_modules/aurora-iam/bin/aurora-iam.js', 'exec', ...options, '--', ...tool]
    await promisify(execFile)(process.execPath, exec, { env })
    const { query, close } = onPool(await poolOf(address, iam))
    const tables = await query("SHOW TABLES LIKE 'planet'")
    if (tables.length !== 1) throw new Error('schema:update created no table')
    return { query, close }
  },
  ioredis: async (address, iam) => {
    const { redisStore } = await import('@aurora-iam/rate-limit')
    const { default: Redis } = await import('ioredis')
    const redis = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1')
    const { query, close } = await withStore(address, iam, redisStore(redis))
    return { query, close: () => close().then(() => redis.disconnect()) }
  },
  'node-redis': async (address, iam) => {
    const { redisStore } = await import('@aurora-iam/rate-limit')
    const { createClient } = await import('redis')
    const redis = createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT}` })
    await redis.connect()
    const { query, close } = await withStore(address, iam, redisStore(redis))
    return { query, close: () => close().then(() => redis.quit()) }
  },
}
