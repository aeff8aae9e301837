import { localSubjects } from './local.ts'
import { mongodbSubjects } from './mongodb.ts'
import { postgresSubjects } from './postgres.ts'
import { redisSubjects } from './redis.ts'
import { sqliteSubjects } from './sqlite.ts'
import type { Place, Subject } from './subject.ts'

const subjects = {
  ...redisSubjects,
  ...mongodbSubjects,
  ...postgresSubjects,
  ...sqliteSubjects,
  ...localSubjects,
}

/** Opens the subject of this id; its packages are loaded only now. */
export function openSubject(id: string, place: Place): Promise<Subject> {
  const open = subjects[id]
  if (!open) throw new Error(`nothing opens a subject '${id}'`)
  return open(place)
}
