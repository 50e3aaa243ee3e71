// Wingmirror · Apache-2.0

/// The route that took a request, by the names that label its series.
public struct RouteName: Sendable, Hashable {
    /// The namespace of the VirtualService.
    public var virtualServiceNamespace: String
    /// The name of the VirtualService.
    public var virtualService: String
    /// The name of the rule, or its place, such as `#3`.
    public var route: String

    /// Makes a name; all parts are empty for a request that no route took.
    public init(virtualServiceNamespace: String = "", virtualService: String = "", route: String = "") {
        self.virtualServiceNamespace = virtualServiceNamespace
        self.virtualService = virtualService
        self.route = route
    }
}
