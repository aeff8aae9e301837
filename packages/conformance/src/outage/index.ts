export type { Load } from './load.ts'
export { endure, type Figures } from './outage.ts'
export { report } from './report.ts'
export { crash, hang, replace } from './strikes.ts'
