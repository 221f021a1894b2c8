import { contest } from '../core/contest.mjs'
import { startServer } from '../core/server.mjs'
import { printContest } from '../core/table.mjs'

export const title = 'Queries on open connections'

const CONTENDERS = [
  ['mysql2', './contenders/mysql2.mjs', 'bare'],
  ['mysql2 again', './contenders/mysql2.mjs', 'bare', 'mysql2'],
  ['aurora-iam', './contenders/mysql2.mjs', 'limited', 'mysql2'],
  ['Knex', './contenders/knex.mjs', 'bare'],
  ['Knex, aurora-iam', './contenders/knex.mjs', 'ours', 'Knex'],
  ['TypeORM', './contenders/typeorm.mjs', 'bare'],
  ['TypeORM, aurora-iam', './contenders/typeorm.mjs', 'ours', 'TypeORM'],
  ['Prisma, stock', './contenders/prisma.mjs', 'stock'],
  ['Prisma, aurora-iam', './contenders/prisma.mjs', 'ours', 'Prisma, stock'],
]

export async function run({ quick, progress }) {
  const { aurora, settings } = await startServer()
  try {
    const count = quick ? 100 : 400
    const measures = await contest({
      blocks: quick ? 3 : 10,
      contenders: CONTENDERS.map(([name, module, kind, floor]) => ({
        name,
        module,
        settings: { ...settings, kind },
        floor,
      })),
      measures: [
        { name: 'SELECT 1, one after the other', work: 'queryOneByOne', args: [count], per: count },
        { name: 'SELECT 1, in a pool of 10', work: 'queryTogether', args: [count, 10], per: count },
      ],
      progress: (block, blocks) => progress(`block ${block} of ${blocks}`),
    })
    return { measures }
  } finally {
    await aurora.close()
  }
}

export function print({ measures }) {
  printContest('Queries', measures)
}
