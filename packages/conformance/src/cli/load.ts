import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { checkSubject } from '../engine/check-subject.ts'
import type { Subject } from '../engine/subject.ts'
import { rules } from '../rules/index.ts'

/**
 * Imports the module of a store.
 * @throws Error if the module cannot be used. The message is for the author of the module.
 */
export async function load(path: string): Promise<Subject> {
  const file = resolve(path)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${path}`)
  let module: Record<string, unknown>
  try {
    module = await import(pathToFileURL(file).href)
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${inspect(error)}`, { cause: error })
  }
  const subject = pickSubject(module)
  try {
    checkSubject(subject, rules)
  } catch (error) {
    throw new Error(`${path} cannot be used: ${(error as Error).message}`, { cause: error })
  }
  return subject
}

/** Returns the named exports, or the default export if there is no export `make`. */
function pickSubject(module: Record<string, unknown>): Partial<Record<keyof Subject, unknown>> {
  if ('make' in module) return module
  return typeof module.default === 'object' && module.default !== null ? module.default : {}
}
