export { type InterfaceAddress, isPrivateIpv4, isPublicIpv6, type ListInterfaces } from './interfaces.ts';
export { expandTemplate } from './template.ts';
