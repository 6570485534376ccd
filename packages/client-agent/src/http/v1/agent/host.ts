import { arch, cpus, freemem, hostname, platform, release, totalmem, uptime, version } from 'node:os';
import { statfs } from 'node:fs/promises';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { acl, type Route } from '../../routing/route.ts';

/** GET /v1/agent/host (consul-facts H039): gopsutil's shape, as far as the operating system tells Node. */
export const agentHostRoutes: readonly Route[] = [{ method: 'GET', path: '/v1/agent/host', acl: acl.operator('read'), handle: host }];

async function host(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const body = {
    Memory: memory(),
    CPU: processors(),
    Host: hostInfo(deps.clock.now()),
    Disk: await disk(request.config.dataDir ?? '/'),
    CollectionTime: Math.round(deps.clock.now() * 1e6),
    Errors: null,
  };
  return jsonReply(encodeJson(body, request.indent));
}

function memory(): object {
  const total = totalmem();
  const free = freemem();
  return { total, available: free, used: total - free, usedPercent: ((total - free) / total) * 100, free };
}

function processors(): object[] {
  return cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed, cores: 1 }));
}

function hostInfo(nowMs: number): object {
  const upSeconds = Math.floor(uptime());
  return {
    hostname: hostname(),
    uptime: upSeconds,
    bootTime: Math.floor(nowMs / 1_000) - upSeconds,
    os: platform(),
    platform: platform(),
    platformVersion: version(),
    kernelVersion: release(),
    kernelArch: arch(),
  };
}

async function disk(path: string): Promise<object> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
  const used = (blocks - bfree) * bsize;
  return {
    path,
    total: blocks * bsize,
    free: bavail * bsize,
    used,
    usedPercent: blocks === 0 ? 0 : ((blocks - bfree) / blocks) * 100,
    inodesTotal: files,
    inodesUsed: files - ffree,
    inodesFree: ffree,
  };
}
