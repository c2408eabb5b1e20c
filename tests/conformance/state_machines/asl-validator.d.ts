// What parsers.mjs uses of the package, which brings no types.
declare module 'asl-validator' {
  export default function validate(definition: object): { isValid: boolean; errorsText(separator?: string): string };
}
