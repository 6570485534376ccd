import { registerHooks } from 'node:module';
import { resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PLANTED_BUGS } from '../src/planted/planted-bugs.ts';

const PACKAGES = resolve(import.meta.dirname, '../..');

/** Makes one mistake in a source file as it is loaded; the file itself stays as it is. */
export function plant(name: string): void {
  const bug = PLANTED_BUGS.find((each) => each.name === name);
  if (bug === undefined) throw new Error(`there is no planted bug "${name}"`);
  const target = pathToFileURL(resolve(PACKAGES, bug.file.replaceAll('/', sep))).href;
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const text = Buffer.from((loaded.source ?? '') as Uint8Array).toString();
      if (text.split(bug.find).length !== 2) throw new Error(`the text of the planted bug "${name}" is not in ${bug.file} once`);
      return { ...loaded, source: text.replace(bug.find, () => bug.replace) };
    },
  });
}
