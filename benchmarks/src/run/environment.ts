import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Environment } from '../results/results.ts'

export function readEnvironment(): Environment {
  return {
    cpu: cpus()[0]!.model.trim(),
    cores: availableParallelism(),
    memory: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.versions.node,
    loadBefore: loadavg()[0]!,
  }
}

/** Returns the commit of this checkout, followed by `+` if files differ from it. */
export function readCommit(): string | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', 'HEAD').trim()}${changed ? '+' : ''}`
  } catch {
    return undefined
  }
}
