import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { computeNeeds, UTILIZATION } from '../src/capacity/capacity.ts'
import { readFigures } from '../src/capacity/figures.ts'
import { withCapacity } from '../src/capacity/table.ts'

const figures = { cpuApp: 30, cpuServer: 6, fixed: 200, each: 1.5 }
const load = { sessions: 10_000_000, requests: 10_000, payload: 1000, lifetime: 100_000 }

describe('the capacity', () => {
  it('is computed from the load and the measured figures', () => {
    const needs = computeNeeds('redis', load, figures)
    assert.equal(needs.bytes, 10_000_000 * 1700)
    assert.equal(needs.memory, needs.bytes)
    assert.equal(needs.operations, 20_000 + 100)
    assert.equal(needs.coresServer, 0.06 / UTILIZATION)
    assert.equal(needs.coresApp, 0.3 / UTILIZATION)
    assert.deepEqual([needs.nodes, needs.first], [1, 'nothing'])
  })

  it('counts nodes by what is exhausted first', () => {
    const many = computeNeeds('redis', { ...load, sessions: 1e9 }, figures)
    assert.deepEqual([many.first, many.nodes], ['memory', Math.ceil((1e9 * 1700) / UTILIZATION / 32e9)])
    const busy = computeNeeds('redis', { ...load, requests: 500_000 }, figures)
    assert.deepEqual([busy.first, busy.nodes], ['CPU', 5])
    // Databases on disk keep the sessions in use in memory, and the rest on the disk.
    const disk = computeNeeds('postgres', load, figures)
    assert.equal(disk.memory, disk.bytes / 5)
  })

  it('of the examples in docs/scale.md is that of the committed runs', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/scale.md'), 'utf8')
    assert.equal(withCapacity(page, readFigures()), page)
  })
})
