/** Every RSVP object, a file a class or a document. */
export * from './confirm.js';
export * from './dclass.js';
export * from './diagnosis.js';
export * from './errorSpec.js';
export * from './filter.js';
export * from './hop.js';
export * from './integrity.js';
export * from './label.js';
export { policyData } from './policyData.js';
export type { PolicyDataFields, PolicyDataInput } from './policyData.js';
export * from './refresh.js';
export * from './session.js';
export * from './style.js';
export * from './time.js';
export * from './traffic.js';
export * from './tunnel.js';
