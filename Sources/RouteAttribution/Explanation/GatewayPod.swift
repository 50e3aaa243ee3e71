// Wingmirror · Apache-2.0

/// A pod that runs a gateway's proxy, as far as routing looks at it.
public struct GatewayPod: Sendable, Hashable {
    /// The pod's namespace.
    public let namespace: String
    /// The pod's name.
    public let name: String
    /// The pod's labels.
    public let labels: [String: String]
    /// The ports that its containers name, by name.
    public let namedPorts: [String: Int]

    /// Names a pod.
    public init(namespace: String, name: String, labels: [String: String], namedPorts: [String: Int]) {
        self.namespace = namespace
        self.name = name
        self.labels = labels
        self.namedPorts = namedPorts
    }

    /// The labels that all pods of the workload share: those of one pod, or of one revision of them, left out.
    public var workloadLabels: [String: String] {
        labels.filter { !Self.ownLabels.contains($0.key) }
    }

    /// The labels that tell the workload from others: those of one release of its chart are left out too, so that an upgrade
    /// makes no second workload.
    public var identityLabels: [String: String] { workloadLabels.ofWorkload }

    private static let ownLabels: Set<String> = [
        "pod-template-hash", "controller-revision-hash", "pod-template-generation",
        "rollouts-pod-template-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
    ]
}

extension [String: String] {
    /// Labels whose values name a release.
    ///
    /// Istio's injection takes the last one from `app.kubernetes.io/version`.
    private static var releaseLabels: Set<String> {
        ["helm.sh/chart", "app.kubernetes.io/version", "service.istio.io/canonical-revision"]
    }

    /// Labels of pods without those of a release, unless there are no others.
    var ofWorkload: [String: String] {
        let kept = filter { !Self.releaseLabels.contains($0.key) }
        return kept.isEmpty ? self : kept
    }

    /// The labels in words.
    var asText: String {
        isEmpty ? "no labels" : sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}

extension RouteResources {
    /// Whether any object in force is served by a pod: a Gateway that selects it, a Gateway of the Gateway API whose Service or
    /// deployment it belongs to, or an Ingress that counts.
    ///
    /// - Parameters:
    ///   - pod: The pod.
    ///   - environment: The mesh settings.
    /// - Returns: Whether one is.
    public func isServed(by pod: GatewayPod, _ environment: RouteEnvironment) -> Bool {
        let ofNamespace = environment.scopesGatewaysToNamespace
        if gateways.contains(where: { gateway in
            gateway.selector.isContained(in: pod.labels)
                && (!ofNamespace || gateway.metadata.namespace == pod.namespace)
        }) {
            return true
        }
        if apiGateways.contains(where: { isIstios($0) && isServed($0, by: pod) }) { return true }
        let classes = Dictionary(ingressClasses.map { ($0.metadata.name, $0.controller) }) { $1 }
        return environment.ingress.selector.isContained(in: pod.labels)
            && ingresses.contains { IngressConversion.counts($0, classes, environment.ingress) }
    }

    private func isServed(_ gateway: APIGateway, by pod: GatewayPod) -> Bool {
        if gateway.addressedHosts == nil,
            pod.labels["gateway.networking.k8s.io/gateway-name"] == gateway.metadata.name,
            pod.namespace == gateway.metadata.namespace
        {
            return true
        }
        let named = gateway.services
        return services.contains { service in
            named.contains("\(service.metadata.namespace)/\(service.metadata.name)") && selects(service, pod)
        }
    }

    private func selects(_ service: Service, _ pod: GatewayPod) -> Bool {
        service.metadata.namespace == pod.namespace && !service.selector.isEmpty
            && service.selector.isContained(in: pod.labels)
    }

    /// Which server port each port of a pod carries, as the Services that select it say; names of ports are looked up in the pod.
    ///
    /// Of several Services with one port the first decides alone, in the order of ``ServiceCatalog``; those that take no part in
    /// the translation of ports say nothing, as there.
    public func ports(of pod: GatewayPod) -> [GatewayPort] {
        var result: [GatewayPort] = []
        var decided: Set<Int> = []
        let own = services.filter { selects($0, pod) && ServiceCatalog.translatesPorts($0) }
            .sorted(by: ServiceCatalog.isAsked)
        for service in own {
            for port in service.ports {
                let target = port.targetPort ?? port.targetPortName.flatMap { pod.namedPorts[$0] }
                guard let target, let podPort = UInt16(exactly: target), let server = UInt16(exactly: port.number),
                    podPort > 0, server > 0, decided.insert(port.number).inserted
                else { continue }
                result.append(GatewayPort(pod: podPort, server: server))
            }
        }
        return result
    }
}
