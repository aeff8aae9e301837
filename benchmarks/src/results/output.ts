import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ArgumentError } from '../plan/arguments.ts'
import type { Run } from './results.ts'

/** The files of one run. */
export class Output {
  readonly #base: string

  /**
   * Checks that files can be written to the folder.
   * @throws ArgumentError
   */
  constructor(folder: string, started: string) {
    this.#base = join(resolve(folder), `benchmark-${started.slice(0, 19).replaceAll(':', '-')}`)
    try {
      mkdirSync(resolve(folder), { recursive: true })
      const probe = `${this.#base}.tmp`
      writeFileSync(probe, '')
      rmSync(probe)
    } catch (error) {
      throw new ArgumentError(
        `nothing can be written to the folder '${folder}' (${(error as Error).message}); name another with --out`,
      )
    }
  }

  /** Writes the run and returns the path. The file is complete at all times. */
  json(run: Run): string {
    return this.write('json', JSON.stringify(run))
  }

  write(extension: 'json' | 'md' | 'html', text: string): string {
    const path = `${this.#base}.${extension}`
    writeFileSync(`${path}.tmp`, text)
    renameSync(`${path}.tmp`, path)
    return path
  }
}
