import type { UserConfig } from 'tsdown'
import base from '../../tsdown.config.ts'

/** Each runs as a process of its own, as an ES module. In the build, all lie in one folder. */
const programs = { cli: 'src/cli.ts', child: 'src/cli/child.ts', process: 'src/race/process.ts' }

const config: UserConfig[] = [
  { ...base, entry: { index: 'src/index.ts', ...programs }, format: 'esm' },
  { ...base, format: 'cjs' },
]
export default config
