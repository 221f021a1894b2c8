// Opens so many connections by one contender, then ends: its instructions are counted from outside.
const [contender, work, rounds, each] = process.argv.slice(2)
const { setUp } = await import(new URL(`../contenders/${contender}.mjs`, import.meta.url))
const works = await setUp(JSON.parse(process.env.BENCH_SETTINGS))
await works.prepare?.()
for (let round = 0; round < Number(rounds); round++) await works[work](Number(each))
process.exit()
