import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mongoReplicaSet, postgresProcess, redisProcess } from '@session-stores/testbed'
import autocannon from 'autocannon'

const opt = process.env.OPT ?? '{"freshness":1000,"touchAfter":60000}'
const SECONDS = Number(process.env.SECONDS ?? 2),
  ROUNDS = Number(process.env.ROUNDS ?? 4)
const kinds = (process.env.KINDS ?? 'memory,redis,postgres,mongodb,sqlite').split(',')
const servers: Record<string, any> = {}
if (kinds.includes('redis')) servers.redis = await redisProcess()
if (kinds.includes('postgres')) servers.postgres = await postgresProcess()
if (kinds.includes('mongodb')) servers.mongodb = await mongoReplicaSet()
const subjects = await Promise.all(
  kinds.map(async (kind) => {
    const child = fork(
      new URL('./app.ts', import.meta.url),
      [kind, servers[kind]?.url ?? `/dev/shm/near-${process.pid}.db`, opt],
      {
        env: { ...process.env, NODE_ENV: 'production' },
        execArgv: process.env.PROF === kind ? ['--cpu-prof', '--cpu-prof-dir=/tmp/near-prof'] : [],
      },
    )
    const [{ port }] = (await once(child, 'message')) as any
    const url = `http://127.0.0.1:${port}`
    const cookies = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const r = await fetch(`${url}/sign-in`, { method: 'POST' })
        return [r.headers.getSetCookie()[0]!.split(';')[0]!, await r.text()] as const
      }),
    )
    return { kind, child, url, cookies, rates: [] as number[], cpu: [] as number[] }
  }),
)
async function run(s: (typeof subjects)[number], seconds: number) {
  let i = 0,
    bad = 0
  const ask = async () => {
    s.child.send('cpu')
    return (await once(s.child, 'message'))[0] as number
  }
  await ask()
  const g = autocannon({
    url: s.url,
    connections: 64,
    duration: seconds,
    setupClient(c: any) {
      const [cookie, marker] = s.cookies[i++ % 64]!
      c.setHeaders({ cookie })
      let right = false
      c.on('body', (b: Buffer) => {
        right ||= b.includes(marker)
      })
      c.on('response', () => {
        if (!right) bad++
        right = false
      })
    },
  })
  const r = await g
  const cpu = await ask()
  if (r.non2xx || bad > 0) console.log(s.kind, 'BAD', r.non2xx, bad)
  return [r.requests.total / r.duration, cpu / r.requests.total] as const
}
for (const s of subjects) await run(s, 2)
for (let r = 0; r < ROUNDS; r++)
  for (const s of r % 2 ? subjects.toReversed() : subjects) {
    const [rate, cpu] = await run(s, SECONDS)
    s.rates.push(rate)
    s.cpu.push(cpu)
  }
const median = (x: number[]) => x.toSorted((a, b) => a - b)[x.length >> 1]!
const base = subjects[0]!
for (const s of subjects) {
  const ratios = s.rates.map((x, i) => x / base.rates[i]!)
  console.log(
    s.kind.padEnd(9),
    'req/s',
    median(s.rates).toFixed(0),
    'ratio',
    median(ratios).toFixed(3),
    'cpu us',
    median(s.cpu).toFixed(1),
    ratios.map((x) => x.toFixed(2)).join(' '),
  )
}
for (const s of subjects) s.child.disconnect()
for (const s of Object.values(servers)) await s.stop()
process.exit()
