export { CheckManager, type CheckManagerPorts } from './manager.ts';
export { checkRunnable } from './create-runner.ts';
export { CriticalServiceReaper } from './reaper.ts';
