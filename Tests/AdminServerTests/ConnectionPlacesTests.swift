// Wingmirror · Apache-2.0

import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import AdminServer

@Suite(.timeLimit(.minutes(20)))
struct ConnectionPlacesTests {
    private static let alice = ConnectionPlaces.Peer.other(network: 0, host: 1)
    private static let bob = ConnectionPlaces.Peer.other(network: 0, host: 2)

    private let closed = Closed()
    private let places: ConnectionPlaces

    /// The names of connections that were closed, in order.
    private final class Closed: Sendable {
        private let list = Mutex<[String]>([])
        var names: [String] { list.withLock { $0 } }
        func append(_ name: String) { list.withLock { $0.append(name) } }
    }

    init() {
        var limits = AdminLimits()
        limits.connections = 6
        limits.reservedConnections = 2
        limits.connectionsPerPeer = 3
        places = ConnectionPlaces(limits: limits)
    }

    private func take(_ name: String, _ peer: ConnectionPlaces.Peer, at seconds: Int64) -> Int? {
        places.take(for: peer, at: .uptimeNanoseconds(UInt64(seconds) * 1_000_000_000)) { [closed] in
            closed.append(name)
        }
    }

    @Test func `one peer gets a part of the places, and displaces its own connections beyond it`() {
        for number in 0..<5 { #expect(take("alice \(number)", Self.alice, at: Int64(number)) != nil) }
        #expect(closed.names == ["alice 0", "alice 1"])
        #expect(take("bob", Self.bob, at: 9) != nil)
        #expect(closed.names == ["alice 0", "alice 1"])
    }

    @Test func `when the places for others are taken, the one that is idle for longest goes`() {
        for number in 0..<3 { _ = take("alice \(number)", Self.alice, at: Int64(number)) }
        _ = take("bob", Self.bob, at: 3)
        #expect(take("carol", .other(network: 0, host: 3), at: 4) != nil)
        #expect(closed.names == ["alice 0"])
        #expect(places.count == 4)
    }

    @Test func `this machine has places that others cannot take`() {
        for number in 0..<20 { _ = take("\(number)", .other(network: 0, host: UInt64(number)), at: Int64(number)) }
        let before = closed.names
        #expect(take("probe 1", .own, at: 30) != nil)
        #expect(take("probe 2", .own, at: 31) != nil)
        #expect(closed.names == before)
        #expect(places.count == 6)
        #expect(take("probe 3", .own, at: 32) != nil)
        #expect(closed.names.count == before.count + 1)
    }

    @Test func `a connection that is in use keeps its place for a while, and goes before one that listens`() throws {
        for number in 0..<3 {
            let place = try #require(take("\(number)", Self.alice, at: 0))
            places.set(place, number == 0 ? .listening : .answered, at: .uptimeNanoseconds(UInt64(number)))
        }
        #expect(take("too soon", Self.alice, at: 1) == nil)
        #expect(closed.names.isEmpty)
        #expect(take("later", Self.alice, at: 3) != nil)
        #expect(closed.names == ["1"])
    }

    @Test func `a place that is given up is free`() throws {
        let numbers = (0..<3).map { take("\($0)", Self.alice, at: 0) }
        places.giveUp(try #require(numbers[1]))
        #expect(take("next", Self.alice, at: 1) != nil)
        #expect(closed.names.isEmpty)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", true), ("::1", "::1", true), ("127.8.0.1", "127.0.0.1", true),
        ("10.0.0.7", "10.0.0.7", true), ("10.0.0.8", "10.0.0.7", false), ("::ffff:10.0.0.7", "10.0.0.7", true),
        ("2001:db8::7", "2001:db8::7", true), ("2001:db8::8", "2001:db8::7", false),
    ])
    func `this machine is told by loopback and by its own address`(remote: String, local: String, isOwn: Bool) throws {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: remote, port: 1)
        channel.localAddress = try SocketAddress(ipAddress: local, port: 9646)
        #expect((ConnectionPlaces.Peer(of: channel) == .own) == isOwn)
    }

    @Test func `the addresses of one IPv6 network are one peer`() throws {
        let peers = try ["2001:db8:0:1::5", "2001:db8:0:1:ffff::6", "2001:db8:0:2::5"].map { address in
            let channel = EmbeddedChannel()
            channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
            return ConnectionPlaces.Peer(of: channel)
        }
        #expect(peers[0] == peers[1])
        #expect(peers[0] != peers[2])
    }
}
