import { describe, expect, it } from 'vitest';
import { decode } from '../schema/index.ts';
import { serviceAi } from './service-ai.ts';

describe('the AI block of a service (consul-facts V014)', () => {
  it('has the same names whatever casing it came in, and only what is set', () => {
    const fromFile = { role: 'mcp-server', mcp_server: { transport: 'http', path: '/mcp', protocol_version: '' } };
    const fromApi = { Role: 'mcp-server', MCPServer: { Transport: 'http', Path: '/mcp' } };
    expect(decode(serviceAi, fromFile)).toEqual(fromApi);
    expect(decode(serviceAi, fromApi)).toEqual(fromApi);
  });

  it('keeps nested blocks, also empty ones, which say that they are there', () => {
    const agent = { inference: { specialization: ['math'] }, mcp: { port: 7, hitl: {} }, rate_limits: { tool_calls_per_minute: 5 } };
    expect(decode(serviceAi, { role: 'ai-agent', agent })).toEqual({
      Role: 'ai-agent',
      Agent: { Inference: { Specialization: ['math'] }, MCP: { Port: 7, HITL: {} }, RateLimits: { ToolCallsPerMinute: 5 } },
    });
    const defaults = { MaxTokens: 100, Temperature: 0.5 };
    expect(decode(serviceAi, { InferenceModel: { Defaults: defaults } })).toEqual({ InferenceModel: { Defaults: defaults } });
  });

  it('refuses what is of another type', () => {
    expect(() => decode(serviceAi, { Role: 1 })).toThrow('json: cannot unmarshal number into Go struct field .Role of type string');
    expect(() => decode(serviceAi, { Bogus: 1 }, { unknownKeys: 'error' })).toThrow('invalid config key Bogus');
  });
});
