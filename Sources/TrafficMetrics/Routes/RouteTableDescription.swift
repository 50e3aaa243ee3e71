// Wingmirror · Apache-2.0

/// What the metrics need to know of a route table: which series it can produce, and what it says for the info families.
public struct RouteTableDescription: Sendable {
    /// Numbers the tables; later ones are larger.
    public var generation: Int
    /// The series of the routes; the index in this list is the route index of the table made from it.
    public var series: [RouteLabels]
    /// The Gateways as `namespace/name`; the index in this list is the gateway index of the table made from it.
    public var gateways: [String]
    /// The routes as configured.
    public var routes: [Route]
    /// Objects left out, by kind and reason.
    public var rejectedObjects: [RejectedObjects]
    /// How long the table took to build.
    public var buildSeconds: Double
    /// Tells tables apart that decide differently, the same on every agent; empty where nobody asks.
    public var hash: String
    /// The table of each gateway.
    public var tables: [Table]

    /// A route as configured.
    public struct Route: Sendable {
        /// The namespace of the VirtualService.
        public var virtualServiceNamespace: String
        /// The name of the VirtualService.
        public var virtualService: String
        /// The name of the rule, as in `RouteLabels.route`.
        public var route: String
        /// What the rule matches, for people.
        public var match: String
        /// The hosts of the VirtualService, for people.
        public var hosts: String
        /// Where the rule sends requests.
        public var destinations: [Destination]

        /// Makes a route of its parts.
        public init(
            virtualServiceNamespace: String,
            virtualService: String,
            route: String,
            match: String,
            hosts: String,
            destinations: [Destination]
        ) {
            self.virtualServiceNamespace = virtualServiceNamespace
            self.virtualService = virtualService
            self.route = route
            self.match = match
            self.hosts = hosts
            self.destinations = destinations
        }
    }

    /// Where a route sends requests.
    public struct Destination: Sendable {
        /// The destination's name, fully qualified.
        public var service: String
        /// The destination's subset; empty if it has none.
        public var subset: String
        /// The configured share from 0 to 1.
        public var share: Double

        /// Makes a destination of its parts.
        public init(service: String, subset: String, share: Double) {
            self.service = service
            self.subset = subset
            self.share = share
        }
    }

    /// How many objects of a kind were left out for a reason.
    public struct RejectedObjects: Sendable {
        /// The kind of the objects, such as `VirtualService`.
        public var kind: String
        /// Why they were left out, from a closed list.
        public var reason: String
        /// How many there are.
        public var count: Int

        /// Makes a count of its parts.
        public init(kind: String, reason: String, count: Int) {
            self.kind = kind
            self.reason = reason
            self.count = count
        }
    }

    /// The table of one gateway.
    public struct Table: Sendable {
        /// The namespace of the gateway's pods.
        public var workloadNamespace: String
        /// The labels of the gateway's pods, in words.
        public var workload: String
        /// Tells tables of this gateway apart that decide differently, the same on every agent.
        public var hash: String

        /// Makes a table of its parts.
        public init(workloadNamespace: String, workload: String, hash: String) {
            self.workloadNamespace = workloadNamespace
            self.workload = workload
            self.hash = hash
        }
    }

    /// Makes a description of its parts.
    public init(
        generation: Int,
        series: [RouteLabels],
        gateways: [String],
        routes: [Route] = [],
        rejectedObjects: [RejectedObjects] = [],
        buildSeconds: Double = 0,
        hash: String = "",
        tables: [Table] = []
    ) {
        self.generation = generation
        self.series = series
        self.gateways = gateways
        self.routes = routes
        self.rejectedObjects = rejectedObjects
        self.buildSeconds = buildSeconds
        self.hash = hash
        self.tables = tables
    }
}
