// The image's health check: healthy while the agent answers and knows a leader. Reads the CLI's environment (CONSUL_HTTP_ADDR,
// CONSUL_HTTP_TOKEN, CONSUL_CACERT). `healthcheck.mjs HOST:PORT` only asks whether something listens there: for sidecars.
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as getTls } from 'node:https';
import { connect } from 'node:net';

const TIMEOUT_MS = 3_000;

const [, , listener] = process.argv;
const timer = setTimeout(() => finish(`no answer in ${TIMEOUT_MS} ms`), TIMEOUT_MS);
if (listener === undefined) askAgent(process.env);
else dial(listener);

function askAgent(env) {
  const address = env.CONSUL_HTTP_ADDR || '127.0.0.1:8500';
  const headers = env.CONSUL_HTTP_TOKEN ? { 'x-consul-token': env.CONSUL_HTTP_TOKEN } : {};
  const path = '/v1/status/leader';
  if (address.startsWith('unix://')) return receive(get({ socketPath: address.slice('unix://'.length), path, headers }));
  const isTls = address.startsWith('https://') || /^(?:1|true)$/i.test(env.CONSUL_HTTP_SSL ?? '');
  const url = new URL(path, `${isTls ? 'https' : 'http'}://${address.replace(/^\w+:\/\//, '')}`);
  if (!isTls) return receive(get(url, { headers }));
  receive(getTls(url, { headers, ...(env.CONSUL_CACERT && { ca: readFileSync(env.CONSUL_CACERT) }) }));
}

function receive(request) {
  request.on('error', (error) => finish(error.message));
  request.on('response', (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text) => (body += text));
    response.on('end', () => finish(response.statusCode === 200 && body.length > '""'.length ? undefined : `no leader: ${body}`));
  });
}

function dial(address) {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const socket = connect({ host: host || '127.0.0.1', port: Number(port) });
  socket.on('connect', () => finish(undefined));
  socket.on('error', (error) => finish(error.message));
}

function finish(problem) {
  clearTimeout(timer);
  if (problem !== undefined) process.stderr.write(`${problem}\n`);
  process.exit(problem === undefined ? 0 : 1);
}
