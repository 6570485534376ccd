export { generateSteps } from './generate-steps.ts';
