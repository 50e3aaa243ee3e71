// Wingmirror · Apache-2.0

/// The six labels that name a route and where it sends a request; all from configuration, never from traffic.
public struct RouteLabels: Sendable, Hashable {
    /// The Gateway as `namespace/name`.
    public let gateway: String
    /// The namespace of the VirtualService.
    public let virtualServiceNamespace: String
    /// The name of the VirtualService.
    public let virtualService: String
    /// The name of the rule, or a stable ordinal such as `#3`.
    public let route: String
    /// The destination's name, fully qualified; empty when the wire does not tell which of several it was.
    public let destinationService: String
    /// The destination's subset; empty if it has none.
    public let destinationSubset: String

    /// Makes labels of values, which are cleaned as `LabelValue` says; equal clean values are the same series.
    public init(
        gateway: String,
        virtualServiceNamespace: String,
        virtualService: String,
        route: String,
        destinationService: String,
        destinationSubset: String
    ) {
        self.gateway = LabelValue.clean(gateway)
        self.virtualServiceNamespace = LabelValue.clean(virtualServiceNamespace)
        self.virtualService = LabelValue.clean(virtualService)
        self.route = LabelValue.clean(route)
        self.destinationService = LabelValue.clean(destinationService)
        self.destinationSubset = LabelValue.clean(destinationSubset)
    }

    /// What stands for all routes beyond the series limit.
    public static let overflow = RouteLabels(
        gateway: LabelValue.overflow,
        virtualServiceNamespace: LabelValue.overflow,
        virtualService: LabelValue.overflow,
        route: LabelValue.overflow,
        destinationService: LabelValue.overflow,
        destinationSubset: LabelValue.overflow
    )

    /// The values in the order of `MetricCatalogue.routeLabels`.
    var values: [String] {
        [gateway, virtualServiceNamespace, virtualService, route, destinationService, destinationSubset]
    }

    /// The values that name the rule, whatever its Gateway and destination.
    var rule: RuleName {
        RuleName(namespace: virtualServiceNamespace, virtualService: virtualService, route: route)
    }
}

extension RouteLabels: Comparable {
    /// Orders by the labels from the first to the last.
    public static func < (left: RouteLabels, right: RouteLabels) -> Bool {
        // Tuples of up to six are compared without making an array.
        (
            left.gateway, left.virtualServiceNamespace, left.virtualService, left.route, left.destinationService,
            left.destinationSubset
        ) < (
            right.gateway, right.virtualServiceNamespace, right.virtualService, right.route, right.destinationService,
            right.destinationSubset
        )
    }
}

/// The three labels that name a rule of a VirtualService.
struct RuleName: Sendable, Hashable {
    let namespace: String
    let virtualService: String
    let route: String

    var values: [String] {
        [namespace, virtualService, route]
    }
}
