export { createTestServer, type TestServer } from './server.ts';
export { createTestStore, type TestStore } from './store.ts';
