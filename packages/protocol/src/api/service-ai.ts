import { float, integer, list, object, optional, type Schema, string } from '../schema/index.ts';

/** Role of an AI workload (Consul 2.x, consul-facts V014) and what belongs to it, in the Go client's field names; unset fields are left out. */
export type ServiceAi = Readonly<Record<string, unknown>>;

const fields = object({
  /** `inference-model`, `mcp-server` or `ai-agent`; one of the blocks below belongs to it. */
  Role: string(),
  InferenceModel: optional(
    object({ Protocol: string(), Path: string(), Defaults: optional(object({ MaxTokens: integer(), Temperature: float() })) }),
  ),
  MCPServer: optional(object({ Transport: string(), Path: string(), ProtocolVersion: string() })),
  Agent: optional(
    object({
      Inference: optional(object({ Specialization: list(string()), Vendor: string() })),
      MCP: optional(object({ Port: integer(), HITL: optional(object({ Port: integer(), ApprovalTimeout: string() })) })),
      RateLimits: optional(object({ ToolCallsPerMinute: integer(), ToolCallsPerHour: integer() })),
      Interceptor: optional(object({ Port: integer() })),
    }),
  ),
});

export const serviceAi: Schema<ServiceAi> = {
  goType: 'api.AgentServiceAI',
  zero: () => ({}),
  decode: (value, context) => withoutZeros(fields.decode(value, context)),
};

function withoutZeros(value: object): ServiceAi {
  const kept = Object.entries(value).filter(
    ([, member]) => member !== '' && member !== 0 && !(Array.isArray(member) && member.length === 0),
  );
  return Object.fromEntries(kept.map(([name, member]: [string, unknown]) => [name, isObject(member) ? withoutZeros(member) : member]));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
