import { GenericContainer, Wait } from 'testcontainers';
import { defaultImage } from './image.ts';
import { StartedLictorContainer } from './started-lictor-container.ts';

export const HTTP_PORT = 8500;
const CONFIG_DIR = '/lictor/config';
/** A second of each attempt, which is the default, is a second that a cluster starts later. */
const POLL_MS = 200;
const STARTUP_TIMEOUT_MS = 60_000;

/**
 * An agent in a container: a server in memory by itself (`-dev`), unless `withAgentFlags` says otherwise. Everything that testcontainers'
 * `GenericContainer` can do, it can. Ready when it knows a leader.
 */
export class LictorContainer extends GenericContainer {
  #flags: readonly string[] = ['-dev'];
  #configs = 0;

  constructor(image: string = defaultImage()) {
    super(image);
    this.withExposedPorts(HTTP_PORT)
      .withStartupTimeout(STARTUP_TIMEOUT_MS)
      .withWaitStrategy(
        Wait.forHttp('/v1/status/leader', HTTP_PORT, { abortOnContainerExit: true })
          .withReadTimeout(POLL_MS)
          .forStatusCode(200)
          .forResponsePredicate((leader) => leader.length > '""'.length),
      );
  }

  /** Of `lictor agent`, in place of `-dev`. */
  withAgentFlags(...flags: readonly string[]): this {
    this.#flags = flags;
    return this;
  }

  /** Options as docs/reference/config.md lists them; may be called more than once, what comes later wins. */
  withConfig(config: Readonly<Record<string, unknown>>): this {
    const name = `${String(this.#configs++).padStart(3, '0')}-test.json`;
    return this.withSecretFile(`${CONFIG_DIR}/${name}`, JSON.stringify(config));
  }

  /** A file that the agent can read. It lives in this container only, so everybody inside of it may. */
  withSecretFile(path: string, content: string): this {
    return this.withCopyContentToContainer([{ content, target: path, mode: 0o444 }]);
  }

  override async start(): Promise<StartedLictorContainer> {
    this.withCommand(['agent', '-client=0.0.0.0', ...this.#flags]);
    return new StartedLictorContainer(await super.start(), HTTP_PORT);
  }
}
