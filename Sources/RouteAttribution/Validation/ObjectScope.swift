// Wingmirror · Apache-2.0
// Which objects istiod looks at: features PILOT_SCOPE_GATEWAY_TO_NAMESPACE, revisions, discoverySelectors.

/// Leaves out the objects that do not exist for the gateway's control plane.
struct ObjectScope {
    private(set) var findings: [RouteFinding] = []
    private let environment: RouteEnvironment
    private let namespaceLabels: [String: [String: String]]
    private var known: [String: Bool] = [:]

    init(_ resources: RouteResources, environment: RouteEnvironment) {
        self.environment = environment
        namespaceLabels = Dictionary(resources.namespaces.map { ($0.metadata.name, $0.metadata.labels) }) { $1 }
    }

    /// Keeps what counts.
    mutating func narrow(_ resources: inout RouteResources) {
        if environment.scopesGatewaysToNamespace {
            resources.gateways.removeAll { gateway in
                guard gateway.metadata.namespace != environment.namespace else { return false }
                report(
                    gateway.origin,
                    "is of another namespace than the gateway's pods (\(environment.namespace)), and "
                        + "mesh.scopeGatewayToNamespace is set"
                )
                return true
            }
        }
        narrow(&resources.gateways, \.metadata, \.origin, byRevision: true)
        narrow(&resources.virtualServices, \.metadata, \.origin, byRevision: true)
        narrow(&resources.destinationRules, \.metadata, \.identity, byRevision: true)
        narrow(&resources.serviceEntries, \.metadata, \.identity, byRevision: true)
        narrow(&resources.listenerSets, \.metadata, \.identity, byRevision: true)
        narrow(&resources.httpRoutes, \.metadata, \.identity, byRevision: true)
        narrow(&resources.tlsRoutes, \.metadata, \.identity, byRevision: true)
        narrow(&resources.referenceGrants, \.metadata, \.identity, byRevision: true)
        guard !environment.discoverySelectors.isEmpty else { return }
        narrow(&resources.services, \.metadata, \.identity, byRevision: false)
        // Which revision has a Gateway of the Gateway API, tags decide, which are not looked at.
        narrow(&resources.apiGateways, \.metadata, \.identity, byRevision: false)
        narrow(&resources.ingresses, \.metadata, \.identity, byRevision: false)
    }

    private mutating func narrow<Model>(
        _ models: inout [Model],
        _ metadata: KeyPath<Model, ObjectMetadata>,
        _ identity: KeyPath<Model, ObjectIdentity>,
        byRevision: Bool
    ) {
        guard byRevision || !environment.discoverySelectors.isEmpty else { return }
        models.removeAll { model in
            let metadata = model[keyPath: metadata]
            if byRevision, let label = metadata.labels["istio.io/rev"] {
                guard let revision = environment.revision else {
                    report(
                        model[keyPath: identity],
                        "is of revision \(label), and mesh.revision does not say which the gateway has; taken to count",
                        severity: .warning
                    )
                    return false
                }
                if label != revision {
                    report(
                        model[keyPath: identity],
                        "is of revision \(label), the gateway of \(revision) (mesh.revision)"
                    )
                    return true
                }
            }
            guard !isDiscovered(metadata.namespace) else { return false }
            report(
                model[keyPath: identity],
                "is of namespace \(metadata.namespace), which mesh.discoverySelectors leave out"
            )
            return true
        }
    }

    private mutating func isDiscovered(_ namespace: String) -> Bool {
        guard !environment.discoverySelectors.isEmpty else { return true }
        if let answer = known[namespace] { return answer }
        let name = ["kubernetes.io/metadata.name": namespace]
        var answer = false
        if let labels = namespaceLabels[namespace] {
            let all = labels.merging(name) { $1 }
            answer = environment.discoverySelectors.contains { $0.selector.selects(all) }
        } else {
            let answers = environment.discoverySelectors.map { $0.selector.decides(knowingOnly: name) }
            // Of a namespace that is not among the objects only the name is known; it counts until something speaks against it.
            answer = answers.contains(true) || answers.contains(nil)
            if !answers.contains(true), answer {
                findings.append(
                    RouteFinding(
                        object: ObjectIdentity(kind: "Namespace", namespace: "", name: namespace),
                        severity: .note,
                        code: .notLookedAt,
                        path: "metadata.labels",
                        message:
                            "is not among the objects, so whether mesh.discoverySelectors leave it out is unknown; "
                            + "taken to count"
                    )
                )
            }
        }
        known[namespace] = answer
        return answer
    }

    private mutating func report(_ object: ObjectIdentity, _ message: String, severity: RouteFinding.Severity = .note) {
        findings.append(
            RouteFinding(object: object, severity: severity, code: .outOfScope, path: "metadata", message: message)
        )
    }
}
