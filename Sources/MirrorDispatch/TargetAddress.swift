// Wingmirror · Apache-2.0

import NIOCore
public import ShadowTesting
import Synchronization

/// Says why a target may not be sent to, given the addresses that its name has now; `nil` when it may.
///
/// Asked at each look at a name. One address that is refused refuses the target, since anybody who can change the name's
/// addresses could choose which is used.
public typealias TargetCheck = @Sendable (_ target: MirrorTarget, _ addresses: [String]) -> String?

/// Keeps knowing where a target is, and whether it may be sent to.
final class TargetAddress: Sendable {
    private struct State {
        var connections: TargetConnections?
        var hasFailed = false
    }

    private let target: MirrorTarget
    private let resolver: any HostResolver
    private let check: TargetCheck
    private let makeConnections: @Sendable (String) -> TargetConnections
    private let found: @Sendable (TargetReach) -> Void
    private let limits: DispatchLimits
    private let state = Mutex(State())
    private let failures = Nudge()
    private let looks: TargetLooks
    private let wishes = Nudge()

    /// Makes the address of a target, which is not known before `watch` runs.
    ///
    /// - Parameters:
    ///   - target: The target.
    ///   - resolver: Knows the addresses of names.
    ///   - check: Says which are refused.
    ///   - limits: How often to look.
    ///   - looks: Who wants another look now.
    ///   - makeConnections: Prepares connections to an address.
    ///   - found: Told what was found out, after the connections are there.
    init(
        of target: MirrorTarget,
        resolver: any HostResolver,
        check: @escaping TargetCheck,
        limits: DispatchLimits,
        looks: TargetLooks,
        makeConnections: @escaping @Sendable (String) -> TargetConnections,
        found: @escaping @Sendable (TargetReach) -> Void
    ) {
        self.target = target
        self.resolver = resolver
        self.check = check
        self.limits = limits
        self.looks = looks
        self.makeConnections = makeConnections
        self.found = found
    }

    /// The connections to use now; `nil` when there are none because the target is refused or has no address.
    var connections: TargetConnections? { state.withLock { $0.connections } }

    /// A connection could not be made: looks again soon, and uses another address if there is one.
    func connectionFailed() {
        state.withLock { $0.hasFailed = true }
        failures.give()
    }

    /// Looks at the name again and again, until the task is cancelled; then closes the connections.
    func watch() async {
        await looks.waking(wishes) { await lookAgainAndAgain() }
    }

    private func lookAgainAndAgain() async {
        await withDiscardingTaskGroup { closing in
            while !Task.isCancelled {
                if let old = await look() {
                    closing.addTask { await old.close() }
                }
                await pause()
            }
            if let last = state.withLock({ $0.connections.take() }) { await last.close() }
        }
    }

    /// Looks at the name once.
    ///
    /// - Returns: Connections that are of no more use.
    private func look() async -> TargetConnections? {
        let addresses: [String]
        switch await lookUp() {
        case .success(let found): addresses = found
        case .failure(let error):
            // What was found and checked before still holds while the name cannot be looked up.
            if connections == nil { found(.unresolved(why: error.reason)) }
            return nil
        case nil: return nil
        }
        if let reason = check(target, addresses) {
            found(.refused(why: reason))
            return state.withLock { $0.connections.take() }
        }
        return use(one(of: addresses))
    }

    /// Asks the resolver, which may block for long and cannot be interrupted.
    ///
    /// - Returns: Its answer; `nil` when the task was cancelled, and nobody waits for the answer any more.
    private func lookUp() async -> Result<[String], HostResolverError>? {
        let (answers, continuation) = AsyncStream<Result<[String], HostResolverError>>.makeStream()
        Task { [resolver, host = target.host] in
            do {
                continuation.yield(.success(try await resolver.addresses(of: host)))
            } catch {
                continuation.yield(.failure(error as? HostResolverError ?? HostResolverError("\(error)")))
            }
            continuation.finish()
        }
        return await answers.first { _ in true }
    }

    private func use(_ address: String?) -> TargetConnections? {
        guard let address else {
            found(.unresolved(why: "no addresses"))
            return state.withLock { $0.connections.take() }
        }
        let old = connections
        if old?.address != address {
            let new = makeConnections(address)
            state.withLock { $0.connections = new }
        }
        found(.allowed(address: address))
        return old?.address == address ? nil : old
    }

    /// The address in use when it is still one of the target's and works; otherwise the one after it, or the first.
    private func one(of addresses: [String]) -> String? {
        let (current, hasFailed) = state.withLock { state in
            defer { state.hasFailed = false }
            return (state.connections?.address, state.hasFailed)
        }
        guard let current, let place = addresses.firstIndex(of: current) else { return addresses.first }
        return hasFailed ? addresses[(place + 1) % addresses.count] : current
    }

    /// Waits until it is time for another look.
    private func pause() async {
        await withTaskGroup(of: Void.self) { race in
            race.addTask { try? await Task.sleep(for: self.limits.recheckInterval) }
            race.addTask {
                if await self.failures.sleep() { try? await Task.sleep(for: self.limits.recheckPause) }
            }
            race.addTask { _ = await self.wishes.sleep() }
            await race.next()
            race.cancelAll()
        }
    }
}
