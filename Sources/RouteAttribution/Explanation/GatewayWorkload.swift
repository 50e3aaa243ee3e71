// Wingmirror · Apache-2.0

/// Pods that serve Gateways: what `gateway.labels` and `gateway.namespace` name.
public struct GatewayWorkload: Sendable, Hashable, CustomStringConvertible {
    /// The namespace of the pods.
    public let namespace: String
    /// The pods' labels, as far as the objects tell.
    public let labels: [String: String]
    /// Whether it is the one that the environment names.
    public let isDefault: Bool
    /// Whether Istio deploys it for a Gateway of the Gateway API.
    public let isOfGatewayAPI: Bool

    /// The options of the command line that choose it.
    public var options: String { "--gateway-selector \(labelText) --gateway-namespace \(namespace)" }

    /// The labels and the namespace in words.
    public var description: String { "\(labelText) in \(namespace)" }

    private var labelText: String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}

extension RouteResources {
    /// The workloads that the Gateways among the objects are for, each once; the environment's own first.
    public func gatewayWorkloads(_ environment: RouteEnvironment) -> [GatewayWorkload] {
        var result: [GatewayWorkload] = []
        func add(_ workload: GatewayWorkload) {
            let isKnown = result.contains { known in
                known.namespace == workload.namespace && workload.labels.isContained(in: known.labels)
            }
            guard !isKnown else { return }
            if workload.isDefault { result.insert(workload, at: 0) } else { result.append(workload) }
        }
        let own = GatewayWorkload(
            namespace: environment.namespace,
            labels: environment.labels,
            isDefault: true,
            isOfGatewayAPI: false
        )
        let classes = Dictionary(ingressClasses.map { ($0.metadata.name, $0.controller) }) { $1 }
        if ingresses.contains(where: { IngressConversion.counts($0, classes, environment.ingress) }),
            environment.ingress.selector.isContained(in: environment.labels)
        {
            add(own)
        }
        for gateway in gateways {
            if gateway.selector.isContained(in: environment.labels) {
                add(own)
            } else {
                let place = place(ofPodsWith: gateway.selector)
                add(
                    GatewayWorkload(
                        namespace: place?.namespace ?? guessedNamespace(of: gateway.selector, environment),
                        labels: place?.labels ?? gateway.selector,
                        isDefault: false,
                        isOfGatewayAPI: false
                    )
                )
            }
        }
        for gateway in apiGateways where isIstios(gateway) && !gateway.services.isEmpty {
            add(workload(of: gateway, own, environment))
        }
        return result
    }

    /// The workload that a Gateway of the Gateway API is served by: that of its own Service, of the Service it names, or `own`.
    private func workload(
        of gateway: APIGateway,
        _ own: GatewayWorkload,
        _ environment: RouteEnvironment
    ) -> GatewayWorkload {
        let named = gateway.services
        let service = services.first { service in
            named.contains("\(service.metadata.namespace)/\(service.metadata.name)") && !service.selector.isEmpty
        }
        if let service {
            let isOwn =
                service.metadata.namespace == environment.namespace
                && service.selector.isContained(in: environment.labels)
            guard !isOwn else { return own }
            return GatewayWorkload(
                namespace: service.metadata.namespace,
                labels: service.selector,
                isDefault: false,
                isOfGatewayAPI: true
            )
        }
        guard gateway.addressedHosts == nil else { return own }
        return GatewayWorkload(
            namespace: gateway.metadata.namespace,
            labels: ["gateway.networking.k8s.io/gateway-name": gateway.metadata.name],
            isDefault: false,
            isOfGatewayAPI: true
        )
    }

    /// The namespace and labels of the first workload that a selector fits.
    private func place(ofPodsWith selector: [String: String]) -> (namespace: String, labels: [String: String])? {
        if let workload = workloads.first(where: { selector.isContained(in: $0.labels) }) {
            return (workload.identity.namespace, workload.labels)
        }
        guard let service = services.first(where: { !$0.selector.isEmpty && selector.isContained(in: $0.selector) })
        else { return nil }
        return (service.metadata.namespace, service.selector)
    }

    /// Where nothing tells: the namespace of the Gateways, where all with the selector share one other than Istio's usual.
    private func guessedNamespace(of selector: [String: String], _ environment: RouteEnvironment) -> String {
        let namespaces = Set(gateways.filter { $0.selector == selector }.map(\.metadata.namespace))
        guard namespaces.count == 1, let only = namespaces.first, selector["istio"] != "ingressgateway" else {
            return environment.namespace
        }
        return only
    }

    /// Why a table of these objects has no routes, in one sentence.
    public func emptiness(_ environment: RouteEnvironment) -> String {
        let routeCount = virtualServices.count + httpRoutes.count + tlsRoutes.count + ingresses.count
        guard count > 0 else { return "there are no route objects, so no request has a route" }
        guard routeCount > 0 else {
            return (count == 1 ? "the object there makes" : "the \(count) objects there make")
                + " no route: no VirtualService, HTTPRoute or Ingress is among them, so no request has a route"
        }
        guard !gateways.isEmpty || !apiGateways.isEmpty || !ingresses.isEmpty else {
            var named: [String] = []
            for service in virtualServices {
                for entry in service.gateways {
                    let reference = ObjectReferences.gateway(entry, namespace: service.metadata.namespace)
                    if reference != "mesh", !named.contains(reference) { named.append(reference) }
                }
            }
            guard !named.isEmpty else {
                return "no Gateway is among the objects and none of them names one, so they apply to the mesh only"
            }
            let names = named.prefix(3).joined(separator: ", ") + (named.count > 3 ? " …" : "")
            return "no Gateway is among the objects (they name \(names)), so nothing is served"
        }
        let carried = gateways.contains { $0.selector.isContained(in: environment.labels) }
        if !gateways.isEmpty, apiGateways.isEmpty, !carried {
            let wanted = environment.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            let labels = wanted.isEmpty ? "no labels" : wanted.joined(separator: ", ")
            return "no Gateway selects pods with \(labels) in \(environment.namespace), so nothing is served"
        }
        return "no object is bound to a Gateway of this gateway's pods, so nothing is served; the findings say why"
    }

    /// Whether there are rules and no Gateway, as in the repository of a team whose Gateways are kept elsewhere.
    public var areRulesAlone: Bool {
        let hasRules = !virtualServices.isEmpty || !httpRoutes.isEmpty || !tlsRoutes.isEmpty
        return hasRules && gateways.isEmpty && apiGateways.isEmpty && ingresses.isEmpty
    }

    /// How many objects name no namespace, and the first of them.
    public var withoutNamespace: (count: Int, first: ObjectIdentity)? {
        let all: [(ObjectMetadata, ObjectIdentity)] =
            gateways.map { ($0.metadata, $0.origin) } + virtualServices.map { ($0.metadata, $0.origin) }
            + apiGateways.map { ($0.metadata, $0.identity) } + httpRoutes.map { ($0.metadata, $0.identity) }
            + ingresses.map { ($0.metadata, $0.identity) }
        let unnamed = all.filter { !$0.0.namesNamespace }
        return unnamed.first.map { (unnamed.count, $0.1) }
    }
}
