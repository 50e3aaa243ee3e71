// Wingmirror · Apache-2.0

/// The kinds of findings, whose raw values are part of the interface of `routes check`.
public enum FindingCode: String, Sendable, Hashable, CaseIterable {
    /// The object fails a check of Istio's admission and counts for nothing.
    case refusedObject = "refused-object"
    /// There is no listener: two TLS servers ask for one name, so that Envoy refuses it, or istiod makes none of it.
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
    /// A destination host without a Service or ServiceEntry, or with one that the gateway does not see.
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
    /// A file with a mistake, so that its objects are not known.
    case unreadableFile = "unreadable-file"
    /// A kind that the API server does not list, so that its objects are not known.
    case unreadableKind = "unreadable-kind"
    /// Objects whose file names no namespace.
    case assumedNamespace = "assumed-namespace"
    /// Two files hold an object of one kind, namespace and name.
    case duplicateObject = "duplicate-object"
    /// An object that only changes another one, which kustomize would merge into it.
    case kustomizePatch = "kustomize-patch"
    /// A field that the kind does not have, so that the API server drops it.
    case unknownField = "unknown-field"
    /// An object that can change routing and is not modelled.
    case notModelled = "not-modelled"
    /// A decision that rests on an object that is not among those read.
    case notLookedAt = "not-looked-at"
    /// An HTTPRoute and a GRPCRoute with one hostname on one listener, which older releases of Istio do not merge.
    case mixedRouteKinds = "mixed-route-kinds"
    /// A backend of a kind that Istio does not serve.
    case unknownBackend = "unknown-backend"
    /// A VirtualService that names no gateway, though its host is one of a gateway.
    case meshOnly = "mesh-only"
    /// A match entry that no server of the objects can give a request to.
    case inapplicableMatch = "inapplicable-match"
    /// Rules for passed-through TLS on servers that end it, or rules for HTTP on servers that pass it through.
    case wrongTLSMode = "wrong-tls-mode"
    /// TLS servers with one certificate and different hosts, between which browsers reuse connections.
    case sharedCertificate = "shared-certificate"
    /// A DestinationRule that the gateway does not see.
    case hiddenDestinationRule = "hidden-destination-rule"
    /// A rewrite that doubles a slash or joins two words.
    case oddRewrite = "odd-rewrite"
    /// A wildcard where text is compared, or a pattern that no path fits.
    case globInPath = "glob-in-path"
    /// A rule with a CORS policy that takes no preflight.
    case preflightNotTaken = "preflight-not-taken"
    /// A redirect to https for a host that no HTTPS server has.
    case redirectLeadsNowhere = "redirect-leads-nowhere"
    /// A rule without a name, which metrics and access log know by its place only.
    case unnamedRules = "unnamed-rules"
    /// An Ingress that is not Istio's, as far as the objects tell.
    case foreignIngress = "foreign-ingress"
    /// The gateway workload was guessed, or no Gateway selects it.
    case assumedWorkload = "assumed-workload"
    /// An object of another revision, or of a namespace that istiod does not look at.
    case outOfScope = "out-of-scope"
    /// An address that answers on a gateway port and asks other servers on one, where none was named as the gateway's.
    case gatewaySendsOn = "gateway-sends-on"
    /// Several addresses that count as the gateway, where none was named.
    case severalGateways = "several-gateways"
    /// No request has a route, because no objects are named or none of them makes one.
    case noRoutes = "no-routes"
    /// The latest reload was refused, and what was in force before it stays.
    case reloadRefused = "reload-refused"
    /// Requests pass by to a gateway on another machine.
    case passesBy = "passes-by"
}
