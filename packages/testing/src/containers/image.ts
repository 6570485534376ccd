/** What docker/build.sh builds unless told otherwise. */
const DEFAULT_IMAGE = 'lictor:dev';

/** `LICTOR_IMAGE`, or the one that docker/build.sh makes. */
export function defaultImage(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['LICTOR_IMAGE'] || DEFAULT_IMAGE;
}
