// Wingmirror · Apache-2.0

extension DestinationRule {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "DestinationRule") }
}

extension Service {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "Service") }
}

extension ServiceEntry {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "ServiceEntry") }
}

extension Namespace {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "Namespace") }
}

extension GatewayClass {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "GatewayClass") }
}

extension APIGateway {
    // Another kind of the same name exists in Istio's group; the words keep the two apart.
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "Gateway (Gateway API)") }
}

extension HTTPRoute {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: kind) }
}

extension TLSRoute {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "TLSRoute") }
}

extension ListenerSet {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "ListenerSet") }
}

extension ReferenceGrant {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "ReferenceGrant") }
}

extension Ingress {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "Ingress") }
}

extension IngressClass {
    /// What names the object.
    var identity: ObjectIdentity { metadata.identity(kind: "IngressClass") }
}

extension ObjectMetadata {
    /// The identity of an object of that kind with this metadata.
    func identity(kind: String) -> ObjectIdentity {
        ObjectIdentity(kind: kind, namespace: namespace, name: name)
    }
}
