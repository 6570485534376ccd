export { createEnrollment, type EnrollmentOptions } from './enrollment.ts';
export { followMeshRoots } from './follow-roots.ts';
