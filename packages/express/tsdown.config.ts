import type { UserConfig } from 'tsdown'
import base from '../../tsdown.config.ts'

const config: UserConfig = { ...base, entry: { index: 'src/index.ts', http: 'src/http/index.ts' } }
export default config
