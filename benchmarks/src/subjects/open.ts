import { localSubjects } from './local.ts'
import { mongodbSubjects } from './mongodb.ts'
import { postgresSubjects } from './postgres.ts'
import { redisSubjects } from './redis.ts'
import { sqliteSubjects } from './sqlite.ts'
import type { Open, Place, Subject } from './subject.ts'
import { tokenSubjects } from './tokens.ts'

const subjects = {
  ...redisSubjects,
  ...mongodbSubjects,
  ...postgresSubjects,
  ...sqliteSubjects,
  ...localSubjects,
  ...tokenSubjects,
}

/** Opens the subject of this id. A `file:` URL names a module that exports `open`. */
export async function openSubject(id: string, place: Place): Promise<Subject> {
  if (id.startsWith('file:')) return ((await import(id)) as { open: Open }).open(place)
  const open = subjects[id]
  if (!open) throw new Error(`nothing opens a subject '${id}'`)
  return open(place)
}
