import { describe, expect, it } from 'vitest';
import { ConfigError } from '../config-error.ts';
import { type ConfigFormat, parseConfigText } from './parse-text.ts';

function problem(format: ConfigFormat, text: string): ConfigError {
  try {
    parseConfigText({ name: `a.${format}`, format, text });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('keys of configuration files', () => {
  it.each<[ConfigFormat, string, number]>([
    ['hcl', 'service {\n name = "a"\n meta {\n  __proto__ = "x"\n }\n}', 4],
    ['hcl', 'node_meta {\n "__proto__" = "x"\n}', 2],
    ['json', '{"connect": {\n"ca_config": {"\\u005f_proto__": {"polluted": 1}}}}', 2],
    ['json', '{"service": {"proxy":\n {"config": [{"a":\n {"__proto__": 1}}]}}}', 3],
  ])('may not be __proto__ (%s): %s', (format, text, line) => {
    const error = problem(format, text);
    expect(error.message).toContain('the key "__proto__" is refused');
    expect(error.line).toBe(line);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it('may not be given twice, which two readers could take differently (security.md duplicate keys, Consul 1.20.2)', () => {
    expect(problem('hcl', 'log_level = "info"\nlog_level = "debug"').message).toContain('"log_level" was already set');
    expect(problem('json', '{"acl": {"tokens": {"agent": "a",\n"agent": "b"}}}').message).toContain('duplicate key "agent"');
    expect(problem('json', '{"log_level": "info", "log\\u005flevel": "debug"}').message).toContain('duplicate key "log_level"');
  });
});
