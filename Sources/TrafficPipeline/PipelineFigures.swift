// Wingmirror · Apache-2.0

public import HTTPReconstruction
public import PacketDecoding
public import TCPReassembly
public import TLSDecryption

/// What a pipeline has seen and done, apart from the traffic itself.
public struct PipelineFigures: Sendable {
    /// Packets and octets by the number of their interface or savefile.
    public internal(set) var interfaces: [InterfaceFigures] = []
    /// Packets understood that hold no TCP segment, by `IgnoredReason`.
    public internal(set) var ignored = [Int](repeating: 0, count: IgnoredReason.allCases.count)
    /// Packets not understood.
    public internal(set) var failures: [DecodeFailure: Int] = [:]
    /// What became of datagrams that came in fragments.
    public internal(set) var fragments = FragmentCounts()
    /// Packets whose format is not known, by that format.
    public internal(set) var undecoded: [UndecodedFormat: Int] = [:]
    /// Packets that came in tunnels, by which several workers may have got one direction of a connection each.
    public internal(set) var tunnelledPackets = 0
    /// TCP segments of which the capture does not say when they came.
    public internal(set) var packetsWithoutTime = 0
    /// What reassembly did.
    public internal(set) var reassembly = ReassemblyStatistics()
    /// What decryption did.
    public internal(set) var tls = TLSStatistics()
    /// What came on connections whose TLS the gateway passes through, by rule.
    public internal(set) var passthrough: [PassthroughFigures] = []
    /// What answers on the gateway's ports, the server with the most requests first; empty where the gateway's addresses are
    /// known.
    public internal(set) var gatewayServers: [GatewayServer] = []
    /// The ports on which no Gateway listens that requests came to, the one with the most requests first.
    public internal(set) var unservedPorts: [UnservedPort] = []
    /// What reconstruction did.
    public internal(set) var http = HTTPStatistics()
    /// Streams that could not be read on, by `ParseFailure`.
    public internal(set) var parseFailures = [Int](repeating: 0, count: ParseFailure.allCases.count)
    /// Requests whose responses are not complete.
    public internal(set) var pendingExchanges = 0
    /// The time of the first packet.
    public internal(set) var firstPacket: PacketTime?
    /// The time of the latest packet.
    public internal(set) var latestPacket: PacketTime?

    /// Makes figures of nothing.
    public init() {}
}

/// What one interface or savefile delivered.
public struct InterfaceFigures: Sendable, Hashable {
    /// Packets that reached the pipeline.
    public internal(set) var packets = 0
    /// Their captured octets.
    public internal(set) var octets = 0
    /// Packets of which the snapshot length cut something off.
    public internal(set) var truncatedPackets = 0
    /// The time of the latest packet.
    public internal(set) var latestPacket: PacketTime?

    /// Makes figures of nothing.
    public init() {}
}

// MARK: - Sums

extension PipelineFigures {
    /// Adds what another worker has seen.
    mutating func add(_ other: PipelineFigures) {
        interfaces.pad(to: other.interfaces.count, with: InterfaceFigures())
        for (number, figures) in other.interfaces.enumerated() { interfaces[number].add(figures) }
        for index in ignored.indices { ignored[index] += other.ignored[index] }
        failures.merge(other.failures, uniquingKeysWith: +)
        fragments.add(other.fragments)
        undecoded.merge(other.undecoded, uniquingKeysWith: +)
        tunnelledPackets += other.tunnelledPackets
        packetsWithoutTime += other.packetsWithoutTime
        reassembly.add(other.reassembly)
        tls.add(other.tls)
        for figures in other.passthrough {
            if let known = passthrough.firstIndex(where: { $0.isOfSameRule(as: figures) }) {
                passthrough[known].add(figures)
            } else {
                passthrough.append(figures)
            }
        }
        for server in other.gatewayServers {
            if let known = gatewayServers.firstIndex(where: { $0.endpoint == server.endpoint }) {
                gatewayServers[known].requests += server.requests
                gatewayServers[known].sentOn += server.sentOn
                gatewayServers[known].passedBy += server.passedBy
            } else {
                gatewayServers.append(server)
            }
        }
        gatewayServers.sort { $0.requests + $0.sentOn > $1.requests + $1.sentOn }
        for port in other.unservedPorts {
            if let known = unservedPorts.firstIndex(where: { $0.port == port.port }) {
                unservedPorts[known].requests += port.requests
            } else {
                unservedPorts.append(port)
            }
        }
        unservedPorts = unservedPorts.inOrder
        http.add(other.http)
        for index in parseFailures.indices { parseFailures[index] += other.parseFailures[index] }
        pendingExchanges += other.pendingExchanges
        firstPacket = [firstPacket, other.firstPacket].compactMap(\.self).min()
        latestPacket = [latestPacket, other.latestPacket].compactMap(\.self).max()
    }
}

extension FragmentCounts {
    fileprivate mutating func add(_ other: FragmentCounts) {
        reassembled += other.reassembled
        timedOut += other.timedOut
        evicted += other.evicted
    }
}

extension InterfaceFigures {
    fileprivate mutating func add(_ other: InterfaceFigures) {
        packets += other.packets
        octets += other.octets
        truncatedPackets += other.truncatedPackets
        latestPacket = [latestPacket, other.latestPacket].compactMap(\.self).max()
    }
}

extension Array {
    /// Appends `element` until there are at least `count`.
    fileprivate mutating func pad(to count: Int, with element: Element) {
        if self.count < count { append(contentsOf: repeatElement(element, count: count - self.count)) }
    }
}
