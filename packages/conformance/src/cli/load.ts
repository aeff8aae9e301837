import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { Subject } from '../engine/rule.ts'
import { checkSubject } from '../engine/subject.ts'
import { rules } from '../rules/index.ts'

/** Imports the module of a store. Rejects with what its author is to be told. */
export async function load(path: string): Promise<Subject> {
  const file = resolve(path)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${path}`)
  let module: Record<string, unknown>
  try {
    module = await import(pathToFileURL(file).href)
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${inspect(error)}`, { cause: error })
  }
  const subject = subjectIn(module)
  try {
    checkSubject(subject, rules)
  } catch (error) {
    throw new Error(`${path} cannot be used: ${(error as Error).message}`, { cause: error })
  }
  return subject
}

/** Named exports, or a default export with the same. */
function subjectIn(module: Record<string, unknown>): Partial<Record<keyof Subject, unknown>> {
  if ('make' in module) return module
  return typeof module.default === 'object' && module.default !== null ? module.default : {}
}
