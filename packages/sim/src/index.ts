export { FailedSimulation, Simulation, type SimulationOptions, type SimulationResult } from './simulation.ts';
export { Violation } from './violation.ts';
export { forecast, type Weather } from './weather.ts';
