// Wingmirror · Apache-2.0

public import RouteAttribution

/// An exchange that was kept to be looked at.
public final class RecentExchange: Sendable {
    /// Counts those on the board, from 0, and is negative until it is there; later ones have larger numbers.
    public let number: Int
    /// What it was.
    public let facts: ExchangeFacts
    /// The head of the request; `nil` where it was not kept, as only the failure drew attention.
    public let request: RecentMessage?
    /// The head of the response; `nil` where there was none, or it was not kept.
    public let response: RecentMessage?
    /// The route that took the request; `nil` if none did.
    public let route: CompiledRoute?
    /// Why it is attributed as it is.
    public let reason: RouteReason
    /// The name in the client's TLS hello; `nil` without TLS, or a name.
    public let serverName: String?

    init(
        _ facts: ExchangeFacts,
        number: Int = -1,
        route: CompiledRoute?,
        reason: RouteReason,
        serverName: String?,
        request: RecentMessage?,
        response: RecentMessage?
    ) {
        self.facts = facts
        self.number = number
        self.route = route
        self.reason = reason
        self.serverName = serverName
        self.request = request
        self.response = response
    }

    /// The same with a number.
    func numbered(_ number: Int) -> RecentExchange {
        RecentExchange(
            facts,
            number: number,
            route: route,
            reason: reason,
            serverName: serverName,
            request: request,
            response: response
        )
    }
}
