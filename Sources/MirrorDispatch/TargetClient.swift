// Wingmirror · Apache-2.0

public import AnswerComparison
import NIOPosix
public import ShadowTesting

/// Sends requests to one target for whoever keeps the time and the bounds, as `replay` does.
///
/// The target's name is looked up and checked once, and every connection goes to the address that was found, whatever the
/// name means later.
public final class TargetClient: Sendable {
    /// Why there is no client.
    public enum Failure: Error, Sendable, Hashable {
        /// The name has no address; the reason, as a sentence's end.
        case unresolved(String)
        /// The target may not be sent to; the reason, as a sentence.
        case refused(String)
    }

    private let connections: TargetConnections

    /// Looks a target up and checks it; no connection is made before the first request.
    /// - Parameters:
    ///   - target: The target.
    ///   - resolver: Knows the addresses of names.
    ///   - check: Says which targets are refused.
    ///   - limits: How long an answer may be.
    /// - Throws: `Failure`.
    public init(
        to target: MirrorTarget,
        resolver: any HostResolver = SystemResolver(),
        check: TargetCheck,
        limits: DispatchLimits = DispatchLimits()
    ) async throws(Failure) {
        let addresses: [String]
        do {
            addresses = try await resolver.addresses(of: target.host)
        } catch {
            throw .unresolved("\(error)")
        }
        if let reason = check(target, addresses) { throw .refused(reason) }
        guard let address = addresses.first else { throw .unresolved("no addresses") }
        connections = TargetConnections(
            to: target,
            at: address,
            on: MultiThreadedEventLoopGroup.singleton,
            // Whoever sends bounds how many answers there are at a time, and how much of each is kept.
            sharing: AnswerBudget(octets: .max),
            limits: limits
        )
    }

    /// Sends a request and reads the answer; a cancelled task gets `.cancelled` at once.
    /// - Parameters:
    ///   - request: The request.
    ///   - keptOctets: The most octets of the answer's content to keep.
    /// - Returns: The answer, without intended time and wait.
    public func send(_ request: ShadowRequest, keeping keptOctets: Int) async -> ShadowAnswer {
        await connections.send(request, keeping: keptOctets)
    }

    /// Why TLS with the target failed the first time, as the end of a sentence; `nil` where it did not.
    public var handshakeProblem: String? { connections.handshakeProblem }

    /// Closes the connections once no request is on its way; for one caller, the last.
    public func close() async {
        await connections.close()
    }
}
