// Wingmirror · Apache-2.0

/// Where `top` has its figures from.
protocol TopSource: Sendable {
    /// The figures now; after a failure those before, with `problem` set.
    func frame() async -> TopFrame
    /// The past of a route.
    func detail(of id: String) async -> TopDetail
}
