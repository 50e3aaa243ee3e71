// Wingmirror · Apache-2.0

public import PacketDecoding

/// What answers on a port of the gateway, where no address was named.
public struct GatewayServer: Sendable, Hashable {
    /// The end that answers.
    public let endpoint: Endpoint
    /// Requests that it got and that count as the gateway's.
    public internal(set) var requests = 0
    /// Requests that its address sent on to other servers on a port of the gateway, and that do not count.
    public internal(set) var sentOn = 0
    /// Requests that passed by on their way to it, as it is on another machine, and that do not count.
    public internal(set) var passedBy = 0

    /// Names what answers.
    init(_ endpoint: Endpoint) { self.endpoint = endpoint }

    /// All requests that had to do with it.
    fileprivate var total: Int { requests + sentOn + passedBy }
}

/// Tells the gateway's own connections from those of its clients, where the gateway's addresses are not known.
///
/// Whoever answers on a port of the gateway may be the gateway, or a pod behind it that listens on the same number. What gives
/// the gateway away is that it is a client too: an address that answers on such a port and asks another server on one passes
/// requests on, and what it asks is not the gateway's traffic but its upstream leg. A request of an address is told so from the
/// first one on, since the request that caused it came before. The other way round, a pod that only such an address asks is
/// behind the gateway; when it asks the gateway itself, it is a client like any other.
///
/// What answers on another machine is no gateway of this node: a Service sends requests of a node's port to pods of any node,
/// and they pass by here twice, in and out. Where the node's routes say so (`isElsewhere`) they do not count.
///
/// Addresses are forgotten some time after they last answered, because a pod's address may be a client's later on.
///
/// Not handled: workers that share an interface learn each for itself, from the connections that the kernel gives them.
struct GatewayServers {
    private struct Slot {
        var server: GatewayServer
        var latest: Int64
        /// Whether it is on another machine, as of `askedAt`; not, before that could be said.
        var isElsewhere: Bool
        /// When that was answered last, in nanoseconds of packet time; `nil` before the first answer.
        var askedAt: Int64?

        /// Counts a request to the server, and says whether it passes by.
        mutating func requestArrived() -> Bool {
            if isElsewhere { server.passedBy += 1 } else { server.requests += 1 }
            return isElsewhere
        }
    }

    /// How many servers are known at a time: more than a node has pods.
    private static let limit = 256
    /// Twice the limit, a power of two: a search ends at an empty place soon.
    private static let capacity = 512
    /// For how long an address is remembered that answers no more, in nanoseconds.
    private static let patience: Int64 = 600_000_000_000
    /// How many servers are reported, those with the most requests.
    private static let reportLimit = 32
    /// How much time passes between two reports at least, in nanoseconds.
    private static let reportInterval: Int64 = 1_000_000_000

    /// How long it stands that a server is here or elsewhere, in nanoseconds: a pod's address may move.
    private static let standing: Int64 = 60_000_000_000

    private let isElsewhere: (@Sendable (IPAddress) -> Bool?)?
    /// The servers that are known.
    private var slots: [Slot] = []
    /// For each place of a table by address 0, or one more than the index of the server there: in few cache lines, since each
    /// request's client is looked for here, and hardly any is found.
    private var places = [UInt16](repeating: 0, count: capacity)
    private var now: Int64 = 0
    private var reportedAt: Int64?
    private var hasChanged = false
    /// The servers, the one with the most requests first, as of the latest report.
    private(set) var report: [GatewayServer] = []

    /// Knows no server yet.
    ///
    /// - Parameter isElsewhere: Whether an address is known to be reached by way of another machine, or `nil` where that cannot be said
    ///   just now; without it none is.
    init(isElsewhere: (@Sendable (IPAddress) -> Bool?)? = nil) {
        self.isElsewhere = isElsewhere
    }

    // MARK: - Events

    /// A request came to a port of the gateway.
    ///
    /// - Parameters:
    ///   - client: The address that it came from.
    ///   - server: The end that answers.
    ///   - time: Nanoseconds since the Unix epoch.
    /// - Returns: Whether it is none of this node's gateway: a proxy's own, which passes another request on, or one that passes by.
    mutating func requestArrived(from client: IPAddress, to server: Endpoint, at time: Int64) -> Bool {
        now = max(now, time)
        hasChanged = true
        if let sender = proxy(client, of: server) {
            slots[sender].server.sentOn += 1
            _ = take(server)
            return true
        }
        guard let index = take(server) else { return false }
        return slots[index].requestArrived()
    }

    /// A connection to a port of the gateway is known to carry something, whether or not its requests can be read.
    mutating func serverAnswers(_ server: Endpoint) {
        _ = take(server)
    }

    /// Whether a connection is none of this node's gateway: a proxy's own, or one that passes by.
    func isForeignConnection(from client: IPAddress, to server: Endpoint) -> Bool {
        proxy(client, of: server) != nil || index(of: server).map { slots[$0].isElsewhere } ?? false
    }

    // MARK: - Reports

    /// Renews the report, if the last is some time ago.
    mutating func batchEnded(at time: Int64) {
        guard hasChanged, reportedAt.map({ time - $0 >= Self.reportInterval }) ?? true else { return }
        reportedAt = time
        makeReport()
    }

    /// Renews the report for the last time.
    mutating func captureEnded() {
        if hasChanged { makeReport() }
    }

    private mutating func makeReport() {
        hasChanged = false
        let servers = slots.map(\.server).sorted { first, second in
            let (one, other) = (first.total, second.total)
            return one == other ? first.endpoint.order < second.endpoint.order : one > other
        }
        report = Array(servers.prefix(Self.reportLimit))
    }

    // MARK: - Places

    /// The index of a client that passes on to a server what it was asked itself; `nil` of any other client.
    @inline(__always)
    private func proxy(_ client: IPAddress, of server: Endpoint) -> Int? {
        guard _slowPath(places[Self.home(of: client)] > 0) else { return nil }
        return knownProxy(client, of: server)
    }

    @inline(never)
    private func knownProxy(_ client: IPAddress, of server: Endpoint) -> Int? {
        guard client != server.address, let sender = answering(client) else { return nil }
        // Only a gateway asks this client, and clients ask the server: it is behind the gateway, and asks it.
        if slots[sender].server.requests == 0, let asked = answering(server.address), slots[asked].server.requests > 0 {
            return nil
        }
        return sender
    }

    /// The index of an address that answers on a port of the gateway, the busiest of its ports; `nil` where none does.
    private func answering(_ address: IPAddress) -> Int? {
        var found: Int?
        var place = Self.home(of: address)
        while places[place] > 0 {
            let index = Int(places[place]) - 1
            if slots[index].server.endpoint.address == address, now - slots[index].latest < Self.patience,
                found.map({ slots[index].server.requests > slots[$0].server.requests }) ?? true
            {
                found = index
            }
            place = Self.place(after: place)
        }
        return found
    }

    /// The index of a server; `nil` where it is not known.
    @inline(__always)
    private func index(of server: Endpoint) -> Int? {
        var place = Self.home(of: server.address)
        while places[place] > 0 {
            let index = Int(places[place]) - 1
            if slots[index].server.endpoint == server { return index }
            place = Self.place(after: place)
        }
        return nil
    }

    /// The index of a server, which is added if it is new; `nil` where there is no room.
    @inline(__always)
    private mutating func take(_ server: Endpoint) -> Int? {
        guard let index = index(of: server) else { return add(server) }
        slots[index].latest = now
        if _slowPath(isElsewhere != nil) { askAgain(index) }
        return index
    }

    /// Asks where a server is, if the answer is no longer fresh.
    @inline(never)
    private mutating func askAgain(_ index: Int) {
        guard let isElsewhere, slots[index].askedAt.map({ now - $0 >= Self.standing }) ?? true,
            let answer = isElsewhere(slots[index].server.endpoint.address)
        else { return }
        slots[index].isElsewhere = answer
        slots[index].askedAt = now
    }

    @inline(never)
    private mutating func add(_ server: Endpoint) -> Int? {
        if slots.count >= Self.limit { forgetSilent() }
        guard slots.count < Self.limit else { return nil }
        let answer = isElsewhere?(server.address)
        slots.append(
            Slot(
                server: GatewayServer(server),
                latest: now,
                isElsewhere: answer ?? false,
                askedAt: answer == nil ? nil : now
            )
        )
        setPlace(of: slots.count - 1)
        return slots.count - 1
    }

    /// Forgets the servers that have not answered for long; the others keep the order in which they are found.
    private mutating func forgetSilent() {
        slots = places.filter { $0 > 0 }.map { slots[Int($0) - 1] }.filter { now - $0.latest < Self.patience }
        places = [UInt16](repeating: 0, count: Self.capacity)
        for index in slots.indices { setPlace(of: index) }
    }

    private mutating func setPlace(of index: Int) {
        var place = Self.home(of: slots[index].server.endpoint.address)
        while places[place] > 0 { place = Self.place(after: place) }
        places[place] = UInt16(index + 1)
    }

    private static func place(after place: Int) -> Int {
        (place + 1) & (capacity - 1)
    }

    /// Where an address is looked for first.
    private static func home(of address: IPAddress) -> Int {
        // Fibonacci hashing; wrapping is what it is about.
        let mixed = (address.high ^ address.low) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 55)
    }
}

extension Endpoint {
    /// Puts endpoints in an order that is the same in every run.
    fileprivate var order: (UInt64, UInt64, UInt16) { (address.high, address.low, port) }
}
