import { allows, type RegisterState } from './register.ts';

/**
 * One way the history may have gone so far: a state, and which of the calls under way have taken effect in it. Both sets are bits by slot:
 * `known` for calls that will be answered, `unknown` for calls that never were.
 */
export interface Configuration {
  readonly state: RegisterState;
  readonly known: bigint;
  readonly unknown: bigint;
}

/**
 * Configurations none of which makes another one needless. One does when everything that can follow the other can follow it as well: the
 * same answered calls have taken effect, no more unanswered ones (these need never happen), and the index is no more settled. Without this
 * a history with n calls of unknown fate has 2^n configurations.
 */
export class ConfigurationSet {
  readonly #groups = new Map<string, Configuration[]>();

  /** Whether it was news. */
  add(configuration: Configuration): boolean {
    const key = `${configuration.known}/${configuration.state.value === undefined ? '' : `=${configuration.state.value}`}`;
    const group = this.#groups.get(key);
    if (group === undefined) {
      this.#groups.set(key, [configuration]);
      return true;
    }
    if (group.some((other) => covers(other, configuration))) return false;
    const kept = group.filter((other) => !covers(configuration, other));
    kept.push(configuration);
    this.#groups.set(key, kept);
    return true;
  }

  values(): Configuration[] {
    return [...this.#groups.values()].flat();
  }
}

/** For two of the same group. */
function covers(one: Configuration, other: Configuration): boolean {
  if ((one.unknown & other.unknown) !== one.unknown) return false;
  const [mine, others] = [one.state, other.state];
  if (mine.index !== undefined) return mine.index === others.index && mine.floor <= others.floor;
  if (mine.floor > others.floor) return false;
  if (others.index !== undefined) return allows(mine, others.index);
  if (others.mayBeFloor && !allows(mine, others.floor)) return false;
  return mine.not.every((index) => index <= others.floor || others.not.includes(index));
}
