export type { DriverBackend } from './driver/fixture.ts'
export { driverSuite } from './driver.ts'
export type { Runner } from './runner.ts'
