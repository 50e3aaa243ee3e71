// Wingmirror · Apache-2.0

/// The kinds of findings, whose raw values are part of the interface of `routes check`.
public enum FindingCode: String, Sendable, Hashable, CaseIterable {
    /// The object fails a check of Istio's admission and counts for nothing.
    case refusedObject = "refused-object"
    /// Two TLS servers ask for the same name, so Envoy refuses the listener.
    case refusedListener = "refused-listener"
    /// A server is left out because an earlier one has its port or its hosts.
    case skippedServer = "skipped-server"
    /// A redirect code that makes Envoy refuse the whole table.
    case refusedTable = "refused-table"
    /// Routes behind one that takes every request.
    case unreachableAfterCatchAll = "unreachable-after-catch-all"
    /// A route whose requests all go to an earlier one of the same host.
    case shadowedRoute = "shadowed-route"
    /// Routes of two objects that want the same requests of one host.
    case overlappingRoutes = "overlapping-routes"
    /// The VirtualService names a Gateway that is not there.
    case missingGateway = "missing-gateway"
    /// The hosts of the VirtualService and those of its Gateways' servers have nothing in common.
    case disjointHosts = "disjoint-hosts"
    /// `exportTo` hides the object from the gateway's namespace.
    case hiddenFromGateway = "hidden-from-gateway"
    /// A host without a dot, which becomes a cluster-internal name that no client outside sends.
    case shortHost = "short-host"
    /// A delegate that is not there, is hidden, or has hosts.
    case missingDelegate = "missing-delegate"
    /// A delegate's rule that contradicts the root's conditions.
    case conflictingDelegate = "conflicting-delegate"
    /// A destination host without a Service or ServiceEntry.
    case unknownService = "unknown-service"
    /// A port that the destination's Service does not have.
    case unknownPort = "unknown-port"
    /// A subset that no DestinationRule defines.
    case unknownSubset = "unknown-subset"
    /// A destination whose pods have no sidecar, as the objects show.
    case destinationWithoutSidecar = "destination-without-sidecar"
    /// Weights that do not sum to 100.
    case unusualWeights = "unusual-weights"
    /// A path value that no normalised request path can equal.
    case impossiblePath = "impossible-path"
    /// A regular expression with a large program.
    case costlyRegex = "costly-regex"
    /// Several routes with one name in the access log.
    case ambiguousRouteName = "ambiguous-route-name"
    /// A backend in another namespace without a ReferenceGrant.
    case missingReferenceGrant = "missing-reference-grant"
    /// A route that no Gateway takes.
    case unattachedRoute = "unattached-route"
    /// A Gateway whose selector does not select the gateway workload.
    case otherWorkload = "other-workload"
}
