// Wingmirror · Apache-2.0

import NIOCore
import PacketDecoding
import Synchronization

/// Hands out the places for connections, so that no peer can take them all from the probes and the scrapers.
///
/// Some places are kept for this machine: probes come from it. One peer gets a part of the rest. When the places run out the
/// newcomer gets that of the connection that has been of no use for longest: one that has asked for nothing yet, or is idle
/// between two requests, or else has taken longest to read its response.
final class ConnectionPlaces: Sendable {
    /// What a connection is doing, from the least useful to the most.
    enum Activity: Int, Comparable {
        /// It has not sent a whole request, or waits for the next.
        case idle
        /// It has a whole request, which is being answered, or a response that it reads.
        case answered
        /// It listens to events.
        case listening

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Who is at the other end, as far as places are concerned.
    enum Peer: Hashable {
        /// This machine.
        case own
        /// An IPv4 address, or the /64 network of an IPv6 address, of which one customer has many addresses.
        case other(network: UInt64, host: UInt64)
    }

    private struct Place {
        let peer: Peer
        let close: @Sendable () -> Void
        var activity = Activity.idle
        var since: NIODeadline
    }

    private struct State {
        var places: [Int: Place] = [:]
        var nextNumber = 0
        /// What each connection's responses hold until they are read, in the order of the responses.
        var held: [ObjectIdentifier: [ResponseHolder]] = [:]
    }

    private let limits: AdminLimits
    private let state = Mutex(State())

    /// Makes the places that `limits` allow.
    init(limits: AdminLimits) {
        self.limits = limits
    }

    /// How many connections have a place.
    var count: Int { state.withLock { $0.places.count } }

    /// Gives a connection a place, if need be that of another.
    ///
    /// - Parameters:
    ///   - peer: Who is at the other end.
    ///   - now: The time.
    ///   - close: Closes the connection, on whatever thread it is called.
    /// - Returns: The place; `nil` where it gets none and is to be closed.
    func take(for peer: Peer, at now: NIODeadline, close: @escaping @Sendable () -> Void) -> Int? {
        let (number, victim) = state.withLock { state -> (Int?, Place?) in
            var victim: Place?
            if let crowd = crowd(of: peer, in: state) {
                guard let number = Self.leastUseful(of: crowd, in: state, at: now, limits.evictionGrace) else {
                    return (nil, nil)
                }
                victim = state.places.removeValue(forKey: number)
            }
            state.nextNumber += 1
            state.places[state.nextNumber] = Place(peer: peer, close: close, since: now)
            return (state.nextNumber, victim)
        }
        victim?.close()
        return number
    }

    /// What a connection does from now on.
    func set(_ number: Int, _ activity: Activity, at now: NIODeadline) {
        state.withLock { state in
            state.places[number]?.activity = activity
            state.places[number]?.since = now
        }
    }

    /// A connection was closed.
    func giveUp(_ number: Int) {
        state.withLock { _ = $0.places.removeValue(forKey: number) }
    }

    // MARK: - What responses hold

    /// A response is about to be written; what it holds is released when the peer has read it, or has gone.
    func hold(_ holder: ResponseHolder, on channel: any Channel) {
        guard channel.isActive else { return }
        state.withLock { $0.held[ObjectIdentifier(channel), default: []].append(holder) }
        // It may have been closed meanwhile, and nobody would come to release it.
        if !channel.isActive { connectionEnded(channel) }
    }

    /// The oldest response of a connection has been read.
    func responseRead(on channel: any Channel) {
        let holder = state.withLock { state -> ResponseHolder? in
            guard let held = state.held[ObjectIdentifier(channel)], !held.isEmpty else { return nil }
            return state.held[ObjectIdentifier(channel)]?.removeFirst()
        }
        // Released here, and not under the lock.
        _ = holder
    }

    /// A connection was closed: nothing of it will be read any more.
    func connectionEnded(_ channel: any Channel) {
        let holders = state.withLock { $0.held.removeValue(forKey: ObjectIdentifier(channel)) }
        _ = holders
    }

    /// The connections of which one has to go before `peer` can have another; `nil` while there is room.
    private func crowd(of peer: Peer, in state: State) -> [Int]? {
        guard peer != .own else {
            return state.places.count < limits.connections ? nil : Array(state.places.keys)
        }
        let others = state.places.filter { $0.value.peer != .own }
        let same = others.filter { $0.value.peer == peer }
        if same.count >= limits.connectionsPerPeer { return Array(same.keys) }
        let isFull =
            others.count >= limits.connections - limits.reservedConnections
            || state.places.count >= limits.connections
        return isFull ? Array(others.keys) : nil
    }

    /// The one that has been of no use for longest; what is in use is left alone for a while.
    private static func leastUseful(
        of crowd: [Int],
        in state: State,
        at now: NIODeadline,
        _ grace: Duration
    ) -> Int? {
        let candidates = crowd.compactMap { number in state.places[number].map { (number, place: $0) } }
        let first = candidates.min { left, right in
            (left.place.activity, left.place.since) < (right.place.activity, right.place.since)
        }
        guard let first else { return nil }
        let isInUse = first.place.activity != .idle && first.place.since + TimeAmount(grace) > now
        return isInUse ? nil : first.0
    }
}

/// Holds what a response is made of until the peer has read it.
final class ResponseHolder: Sendable {
    private let owner = Mutex<(any AnyObject & Sendable)?>(nil)

    /// Holds `owner`.
    func hold(_ owner: any AnyObject & Sendable) {
        self.owner.withLock { $0 = owner }
    }
}

extension ConnectionPlaces.Peer {
    /// Tells whether the peer of a connection is on this machine: by loopback, or from the address that it connected to.
    init(of channel: any Channel) {
        guard let remote = IPAddress(of: channel.remoteAddress) else {
            self = .own
            return
        }
        let isOwn = remote.isLoopback || remote == IPAddress(of: channel.localAddress)
        self = isOwn ? .own : .other(network: remote.high, host: remote.isIPv4 ? remote.low : 0)
    }
}

extension IPAddress {
    /// The address without port and zone; `nil` where there is none.
    fileprivate init?(of address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        self.init(text.prefix { $0 != "%" })
    }
}
