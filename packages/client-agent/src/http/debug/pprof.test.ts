import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/http.ts';

let api: TestApi;

afterEach(async () => {
  await api.close();
});

describe('profiles (consul-facts H162)', () => {
  it.each([
    ['heap?seconds=0.05', 'head'],
    ['profile?seconds=0.05', 'nodes'],
    ['trace?seconds=0.05', 'nodes'],
    ['goroutine', 'javascriptStack'],
  ])('%s', async (path, field) => {
    api = await startTestApi({}, { enableDebug: true });
    const response = await api.request(`/debug/pprof/${path}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toHaveProperty(field);
  });

  it('never show the environment or the command line', async () => {
    process.env['LICTOR_CANARY'] = 'canary-5d1e';
    api = await startTestApi({}, { enableDebug: true });
    expect(await (await api.request('/debug/pprof/goroutine')).text()).not.toContain('canary-5d1e');
  });

  it('are not there unless debugging or ACLs are on', async () => {
    api = await startTestApi({}, { enableDebug: false });
    expect((await api.request('/debug/pprof/heap')).status).toBe(404);
  });

  it('refuse a second profile while one runs, and a duration that makes no sense', async () => {
    api = await startTestApi({}, { enableDebug: true });
    const first = api.request('/debug/pprof/profile?seconds=0.5');
    await expect.poll(() => api.api.waiting).toBe(1);
    expect((await api.request('/debug/pprof/profile?seconds=0.1')).status).toBe(500);
    expect((await first).status).toBe(200);
    expect((await api.request('/debug/pprof/profile?seconds=-1')).status).toBe(400);
  });
});
