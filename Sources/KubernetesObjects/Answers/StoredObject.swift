// Wingmirror · Apache-2.0

package import JSONSyntax

/// What names an object within its collection.
package struct ObjectKey: Sendable, Hashable {
    /// The namespace; empty for objects without one.
    package let namespace: String
    /// The name.
    package let name: String

    /// Names an object.
    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }
}

/// An object as the store keeps it: slimmed and written out again, which takes a tenth of the memory of a tree.
package struct StoredObject: Sendable, Hashable {
    /// What tells it from another object of the same name.
    package let uid: String
    /// The version of its state.
    package let resourceVersion: String
    /// The manifest as JSON, with what routing looks at.
    package let octets: [UInt8]

    /// Whether it is another version of the same object that differs in nothing that is kept.
    func isSame(as other: StoredObject) -> Bool { uid == other.uid && octets == other.octets }

    /// The manifest.
    package var value: JSONValue {
        do throws(DocumentError) {
            return try JSONDocument.parse(octets)
        } catch {
            preconditionFailure("StoredObject.value: what was written cannot be read: \(error)")
        }
    }
}

extension StoredObject {
    /// Slims an object that came from the API server.
    ///
    /// - Parameters:
    ///   - object: The object, as an item of a list or of an event.
    ///   - collection: Says kind and version, which items of built-in lists leave out.
    /// - Returns: `nil` for what has no name.
    static func slimmed(_ object: JSONValue, of collection: ResourceCollection) -> (ObjectKey, StoredObject)? {
        guard case .object(let members) = object, let metadata = object["metadata"],
            let name = metadata["name"]?.stringValue, !name.isEmpty
        else { return nil }
        let kind = collection.isMetadataOnly ? collection.kind : object["kind"]?.stringValue ?? collection.kind
        let version =
            collection.isMetadataOnly
            ? collection.resource.apiVersion : object["apiVersion"]?.stringValue ?? collection.resource.apiVersion
        var kept: [JSONObject.Member] = [
            .init(key: "apiVersion", value: .string(version)), .init(key: "kind", value: .string(kind)),
            .init(key: "metadata", value: slimmedMetadata(metadata)),
        ]
        for member in members.members where !["apiVersion", "kind", "metadata"].contains(member.key) {
            guard member.key != "status" else {
                if let status = slimmedStatus(member.value, kind: kind) {
                    kept.append(.init(key: "status", value: status))
                }
                continue
            }
            switch (kind, member.key) {
            case ("Pod", "spec"): kept.append(.init(key: "spec", value: podSpec(member.value)))
            case ("Node", "spec"): continue
            case ("EnvoyFilter", "spec"), ("WasmPlugin", "spec"), ("XListenerSet", "spec"):
                kept.append(.init(key: "spec", value: extensionSpec(member.value)))
            case ("EndpointSlice", "endpoints"): kept.append(.init(key: "endpoints", value: addresses(member.value)))
            default: kept.append(member)
            }
        }
        guard let slim = try? JSONObject(kept) else { return nil }
        let key = ObjectKey(namespace: metadata["namespace"]?.stringValue ?? "", name: name)
        let stored = StoredObject(
            uid: metadata["uid"]?.stringValue ?? "",
            resourceVersion: metadata["resourceVersion"]?.stringValue ?? "",
            octets: JSONValue.object(slim).encoded()
        )
        return (key, stored)
    }

    /// What is of no use to routing, and the most of many objects.
    private static func slimmedMetadata(_ metadata: JSONValue) -> JSONValue {
        metadata.keeping(["name", "namespace", "labels", "creationTimestamp", "deletionTimestamp"]) { key, value in
            guard key == "annotations", case .object(let annotations) = value else { return nil }
            let kept = annotations.members.filter {
                $0.key != "kubectl.kubernetes.io/last-applied-configuration"
                    && ($0.value.stringValue?.utf8.count ?? 0) < 4096
            }
            return (try? JSONObject(kept)).map(JSONValue.object)
        }
    }

    /// Of status, the addresses of pods, nodes and load balancers, and whether pods are ready.
    private static func slimmedStatus(_ status: JSONValue, kind: String) -> JSONValue? {
        switch kind {
        case "Pod": break
        case "Node": return status.keeping(["addresses"])
        case "Gateway":
            // Istio's Gateways have no addresses.
            guard let addresses = status["addresses"]?.arrayValue, !addresses.isEmpty else { return nil }
            return ["addresses": .array(addresses.map { $0.keeping(["type", "value"]) })]
        case "Service", "Ingress":
            guard let ingress = status["loadBalancer"]?["ingress"]?.arrayValue, !ingress.isEmpty else { return nil }
            return ["loadBalancer": ["ingress": .array(ingress.map { $0.keeping(["ip", "hostname"]) })]]
        default: return nil
        }
        return status.keeping(["phase", "podIP", "podIPs", "hostIP", "hostIPs"]) { key, value in
            guard key == "conditions", let conditions = value.arrayValue else { return nil }
            return .array(conditions.filter { $0["type"] == "Ready" }.map { $0.keeping(["type", "status"]) })
        }
    }

    /// Of endpoints, their addresses and the objects behind them.
    private static func addresses(_ endpoints: JSONValue) -> JSONValue {
        .array((endpoints.arrayValue ?? []).map { $0.keeping(["addresses", "targetRef"]) })
    }

    /// Of what extends proxies, which proxies it is for; the rest can hold secrets.
    private static func extensionSpec(_ spec: JSONValue) -> JSONValue {
        spec.keeping(["workloadSelector", "selector"]) { key, value in
            guard key == "configPatches", let patches = value.arrayValue else { return nil }
            return .array(
                patches.map { patch in
                    patch.keeping([]) { key, match in key == "match" ? match.keeping(["context"]) : nil }
                }
            )
        }
    }

    /// Of a pod, where it runs and on which ports its containers say they listen.
    private static func podSpec(_ spec: JSONValue) -> JSONValue {
        spec.keeping(["nodeName", "hostNetwork"]) { key, value in
            guard key == "containers" || key == "initContainers", let containers = value.arrayValue else { return nil }
            return .array(containers.map { $0.keeping(["name", "ports", "args"]) })
        }
    }
}

extension JSONValue {
    /// The members of an object that are named, in their order, and those for which `other` gives a value.
    fileprivate func keeping(_ keys: Set<String>, _ other: (String, JSONValue) -> JSONValue? = { _, _ in nil })
        -> JSONValue
    {
        guard case .object(let object) = self else { return self }
        let members = object.members.compactMap { member -> JSONObject.Member? in
            if keys.contains(member.key) { return member }
            return other(member.key, member.value).map { JSONObject.Member(key: member.key, value: $0) }
        }
        guard let kept = try? JSONObject(members) else { return self }
        return .object(kept)
    }
}
