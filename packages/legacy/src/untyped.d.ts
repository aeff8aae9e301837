/** The package has no types. */
declare module 'kruptein' {
  function kruptein(options: object): unknown
  export default kruptein
}
