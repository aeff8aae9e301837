import type { UserConfig } from 'tsdown'
import base from '../../tsdown.config.ts'

// The other process of the races is a program of its own: an ES module beside the index.
const programs = { process: 'src/race/process.ts' }

const config: UserConfig[] = [
  { ...base, entry: { index: 'src/index.ts', ...programs }, format: 'esm' },
  { ...base, format: 'cjs' },
]
export default config
