import type { CaConfiguration, CaRoot, CaRoots, IssuedCert } from '@lictor/protocol';
import { sharedView, type View } from '../reply/views.ts';

export const caRootsView: View<CaRoots> = sharedView((roots) => ({
  ActiveRootID: roots.ActiveRootID,
  TrustDomain: roots.TrustDomain,
  Roots: roots.Roots.map(caRootJson),
}));

export const leafView: View<IssuedCert> = sharedView((leaf) => ({
  SerialNumber: leaf.SerialNumber,
  CertPEM: leaf.CertPEM,
  PrivateKeyPEM: leaf.PrivateKeyPEM,
  Service: leaf.Service,
  ServiceURI: leaf.ServiceURI,
  Agent: leaf.Agent,
  AgentURI: leaf.AgentURI,
  ValidAfter: leaf.ValidAfter,
  ValidBefore: leaf.ValidBefore,
  CreateIndex: leaf.CreateIndex,
  ModifyIndex: leaf.ModifyIndex,
}));

function caRootJson(root: CaRoot): object {
  return {
    ID: root.ID,
    Name: root.Name,
    SerialNumber: root.SerialNumber,
    SigningKeyID: root.SigningKeyID,
    ExternalTrustDomain: root.ExternalTrustDomain,
    NotBefore: root.NotBefore,
    NotAfter: root.NotAfter,
    RootCert: root.RootCert,
    IntermediateCerts: root.IntermediateCerts === null || root.IntermediateCerts.length === 0 ? null : root.IntermediateCerts,
    Active: root.Active,
    RotatedOutAt: root.RotatedOutAt,
    PrivateKeyType: root.PrivateKeyType,
    PrivateKeyBits: root.PrivateKeyBits,
    CreateIndex: root.CreateIndex,
    ModifyIndex: root.ModifyIndex,
  };
}

export function caConfigurationJson(configuration: CaConfiguration): object {
  return {
    Provider: configuration.Provider,
    Config: configuration.Config,
    State: configuration.State,
    ForceWithoutCrossSigning: configuration.ForceWithoutCrossSigning,
    CreateIndex: configuration.CreateIndex,
    ModifyIndex: configuration.ModifyIndex,
  };
}
