// Wingmirror · Apache-2.0
// The choice that Istio's injection webhook makes, by its selectors and its policy.

/// Whether pods get a sidecar, as far as objects tell.
enum SidecarInjection: Equatable {
    /// They have one, or are in the mesh without one.
    case inMesh
    /// They have none, because of what the text says.
    case none(String)
    /// The namespace decides, and its object is not known.
    case unknown

    private static let label = "sidecar.istio.io/inject"

    init(_ workload: Workload, namespace: Namespace?) {
        guard !Self.isInMeshAnyway(workload, namespace) else {
            self = .inMesh
            return
        }
        if workload.usesHostNetwork {
            self = .none("its pods use the network of their node")
            return
        }
        // The label counts before the annotation, which older manifests have.
        let wish = workload.labels[Self.label] ?? workload.annotations[Self.label]
        if let wish, ["false", "n", "no", "off"].contains(wish) {
            self = .none("its pods have \(Self.label): \(wish)")
            return
        }
        guard let namespace else {
            self = .unknown
            return
        }
        let labels = namespace.metadata.labels
        switch (labels["istio-injection"], labels["istio.io/rev"]) {
        case ("enabled", _): self = .inMesh
        case ("disabled", _): self = .none("namespace \(namespace.metadata.name) has istio-injection: disabled")
        case (nil, .some): self = .inMesh
        default:
            // An annotation alone does not bring a pod to the webhook.
            let asksItself = workload.labels[Self.label] == "true" || workload.labels["istio.io/rev"] != nil
            self = asksItself ? .inMesh : .none("neither namespace \(namespace.metadata.name) nor its pods ask for one")
        }
    }

    /// Whether the sidecar is written out or already there, or the mesh needs none.
    private static func isInMeshAnyway(_ workload: Workload, _ namespace: Namespace?) -> Bool {
        let mode = workload.labels["istio.io/dataplane-mode"] ?? namespace?.metadata.labels["istio.io/dataplane-mode"]
        return workload.containers.contains("istio-proxy") || mode == "ambient"
            || workload.annotations["sidecar.istio.io/status"] != nil
    }
}

extension RouteLint {
    /// Destinations whose pods have no sidecar; only asked where the objects tell.
    mutating func checkSidecars() {
        guard !resources.workloads.isEmpty else { return }
        let namespaces = Dictionary(resources.namespaces.map { ($0.metadata.name, $0) }) { $1 }
        let workloads = Dictionary(grouping: resources.workloads, by: \.identity.namespace)
        var lacking: [String: String] = [:]
        for service in resources.services where !service.selector.isEmpty && service.type != "ExternalName" {
            let namespace = service.metadata.namespace
            for workload in workloads[namespace] ?? [] where service.selector.isContained(in: workload.labels) {
                guard case .none(let reason) = SidecarInjection(workload, namespace: namespaces[namespace]) else {
                    continue
                }
                let host = ServiceCatalog.host(of: service, environment.clusterDomain)
                lacking[host] = "\(workload.identity), where it leads, runs without a sidecar: \(reason)"
                break
            }
        }
        guard !lacking.isEmpty else { return }
        var reported: Set<String> = []
        for route in table.routes {
            let origin = route.identity.delegate?.object ?? route.identity.object
            for destination in route.destinations {
                guard let reason = lacking[destination.host], reported.insert("\(origin) \(destination.host)").inserted
                else {
                    continue
                }
                report(origin, .destinationWithoutSidecar, rulePath(of: route), "\(destination.host): \(reason)")
            }
        }
    }
}
