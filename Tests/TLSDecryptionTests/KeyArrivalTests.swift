// Wingmirror · Apache-2.0

import Foundation
import OctetText
import Synchronization
import TCPReassembly
import TestSupport
import Testing

@testable import TLSDecryption

/// Keys as key logs really give them: in any order, twice, in pieces, late, and among those of others.
@Suite struct KeyArrivalTests {
    private static func lines(_ capture: Capture) -> [[UInt8]] {
        capture.keys.split(separator: 0x0A).map { Array($0) + [0x0A] }
    }

    private static func isEqual(_ one: Capture.Reading, _ other: Capture.Reading) -> Bool {
        one.connections.count == other.connections.count
            && zip(one.connections, other.connections).allSatisfy { one, other in
                StreamDirection.allCases.allSatisfy { one[$0].octets == other[$0].octets } && one.reason == other.reason
            }
    }

    @Test(arguments: TLSDecryptorTests.http1, 0..<3)
    func `lines in any order, twice, and read in pieces open the same`(name: String, seed: UInt64) throws {
        let capture = try Capture(name)
        var random = SeededGenerator(seed: seed)
        let lines = Self.lines(capture)
        let log = Array((lines + lines).shuffled(using: &random).joined())
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        var start = 0
        while start < log.count {
            let end = min(log.count, start + .random(in: 1...150, using: &random))
            reader.octetsArrived(log.span.extracting(start..<end))
            start = end
        }
        reader.ended()
        #expect(reader.counts.malformed == 0)
        #expect(Self.isEqual(capture.read(with: store), capture.read(with: capture.store())))
    }

    @Test(arguments: TLSDecryptorTests.http1, 0..<3)
    func `keys that come one by one, while packets do, open all there is`(name: String, seed: UInt64) throws {
        let capture = try Capture(name)
        var random = SeededGenerator(seed: seed)
        var lines = Self.lines(capture).shuffled(using: &random)
        var limits = TLSLimits()
        limits.patienceNanoseconds = 3_600_000_000_000
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        let late = capture.read(with: store, limits: limits) { number in
            let count = number == capture.packets.count ? lines.count : Int.random(in: 0...1, using: &random)
            for line in lines.prefix(count) { reader.octetsArrived(line.span) }
            lines.removeFirst(min(count, lines.count))
        }
        #expect(Self.isEqual(late, capture.read(with: capture.store())))
        #expect(late.statistics.waitingConnections == 0)
        #expect(late.statistics.heldOctets == 0)
    }

    @Test(arguments: TLSDecryptorTests.http1, [0, 3_600_000_000_000])
    func `keys that cannot be looked up just now are looked up after the batch`(name: String, patience: Int64) throws {
        let capture = try Capture(name)
        var limits = TLSLimits()
        limits.patienceNanoseconds = patience
        let store = capture.store()
        let taken = TakenStore(store)
        let reading = capture.read(with: store, limits: limits) { number in
            if number == 14 { taken.give() }
        }
        #expect(Self.isEqual(reading, capture.read(with: capture.store())))
        #expect(reading.statistics.heldOctets == 0 && reading.statistics.waitingConnections == 0)
    }

    @Test func `a connection whose keys cannot be looked up to the end of the capture has them looked up then`() throws
    {
        let capture = try Capture("lab-tls13-h1-tls_aes_128_gcm_sha256")
        let store = capture.store()
        let taken = TakenStore(store)
        let reading = capture.read(with: store) { number in
            if number == capture.packets.count { taken.give() }
        }
        #expect(Self.isEqual(reading, capture.read(with: capture.store())))
    }

    /// A million take a while: `WINGMIRROR_KEY_LOG_LINES=1000000 swift test -c release --filter KeyArrivalTests`.
    @Test func `lines of others cost the store's bound and no more, and those that come behind them are found`() throws
    {
        let capture = try Capture("lab-tls13-h1-tls_aes_128_gcm_sha256")
        var limits = KeyStore.Limits()
        limits.connections = 500
        let store = KeyStore(limits: limits)
        var reader = KeyLogReader(into: store)
        let count = ProcessInfo.processInfo.environment["WINGMIRROR_KEY_LOG_LINES"].flatMap { Int($0) } ?? 5_000
        let secret = String(repeating: "5a", count: 32)
        for number in 0..<count {
            let digits = String(number, radix: 16)
            let random = String(repeating: "0", count: 64 - digits.count) + digits
            reader.octetsArrived(Array("CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)\n".utf8).span)
        }
        #expect(store.count == 500)
        #expect(store.forgotten.displaced == count - 500)
        reader.octetsArrived(capture.keys.span)
        reader.ended()
        #expect(Self.isEqual(capture.read(with: store), capture.read(with: capture.store())))
        #expect(store.count <= 500)
    }

    /// TLS 1.2 needs the server's random to make keys; which of the key log's they are, the server's records tell too.
    @Test(arguments: TLSDecryptorTests.http1.filter { !$0.contains("resumption") })
    func `of one direction what can be read is read, and the rest has a reason`(name: String) throws {
        let capture = try Capture(name)
        let whole = try #require(capture.read(with: capture.store()).connections.first)
        // Ethernet and IPv4; the client sent the first packet.
        let client = try #require(capture.packets.first).octets[34..<36]
        func isOfClient(_ packet: Capture.Packet) -> Bool { packet.octets[34..<36].elementsEqual(client) }
        var ofClient = capture
        ofClient.packets.removeAll { !isOfClient($0) }
        let asked = try #require(ofClient.read(with: capture.store()).connections.first)
        if name.contains("tls13") {
            #expect(asked.fromOriginator.octets == whole.fromOriginator.octets)
        } else {
            #expect(asked.reason == .midstream)
        }
        var ofServer = capture
        ofServer.packets.removeAll(where: isOfClient)
        let answered = try #require(ofServer.read(with: capture.store()).connections.first)
        #expect(answered.reason == nil)
        #expect(answered.fromResponder.octets == whole.fromResponder.octets)
    }

    private static let names = TLSDecryptorTests.http1 + ["lab-tls13-h2-tls_aes_256_gcm_sha384"]

    /// The capture without its first segment of the client that is a whole hello.
    private static func withoutHello(_ capture: Capture) throws -> Capture {
        var damaged = capture
        // Ethernet, IPv4 and TCP; the hello is the first that has octets.
        damaged.packets.remove(at: try #require(capture.packets.firstIndex { $0.octets.count > 150 }))
        return damaged
    }

    @Test(arguments: names, [0, 3_000_000_000])
    func `a connection whose client's hello was lost is read with keys that nobody took`(
        name: String,
        patience: Int64
    ) throws {
        let capture = try Capture(name)
        let whole = try #require(capture.read(with: capture.store()).connections.first)
        var limits = TLSLimits()
        limits.patienceNanoseconds = patience
        let others = try Self.names.flatMap { $0 == name ? [] : try Capture($0).keys }
        for keys in [capture.keys, others + capture.keys, capture.keys + others] {
            let reading = try Self.withoutHello(capture).read(with: capture.store(keys), limits: limits)
            let connection = try #require(reading.connections.first)
            #expect(connection.reason == nil)
            #expect(connection.fromResponder.octets == whole.fromResponder.octets)
            #expect(connection.fromOriginator.octets.suffix(20) == whole.fromOriginator.octets.suffix(20))
            #expect(reading.statistics.heldOctets == 0 && reading.statistics.waitingConnections == 0)
        }
    }

    /// The capture with a PROXY header in a segment of its own in front of the client's hello, which is lost.
    private static func withHeader(_ header: [UInt8], insteadOfHelloIn capture: Capture) throws -> Capture {
        // A packet has no room for the longest.
        let pieces = stride(from: 0, to: header.count, by: 30_000).map { Array(header[$0...].prefix(30_000)) }
        var changed = capture
        let hello = try #require(capture.packets.firstIndex { $0.octets.count > 150 })
        func tcp(_ packet: [UInt8]) -> Int { 14 + Int(packet[14] & 15) * 4 }
        let client = Array(capture.packets[hello].octets[tcp(capture.packets[hello].octets)...].prefix(2))
        func add(_ count: Int, to packet: inout [UInt8], at index: Int) {
            let value = packet[index..<(index + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } &+ UInt32(count)
            for place in 0..<4 { packet[index + place] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * place)) }
        }
        for number in hello..<capture.packets.count {
            var packet = capture.packets[number].octets
            let start = tcp(packet)
            let isClient = Array(packet[start...].prefix(2)) == client
            if number == hello {
                packet.removeSubrange((start + Int(packet[start + 12] >> 4) * 4)...)
                packet += pieces[0]
                (packet[16], packet[17]) = (UInt8((packet.count - 14) >> 8), UInt8((packet.count - 14) & 0xFF))
            } else {
                add(header.count, to: &packet, at: start + (isClient ? 4 : 8))
            }
            changed.packets[number].octets = packet
        }
        for (number, piece) in pieces.enumerated().dropFirst() {
            var packet = changed.packets[hello]
            packet.octets.removeLast(pieces[0].count)
            packet.octets += piece
            let length = packet.octets.count - 14
            (packet.octets[16], packet.octets[17]) = (UInt8(length >> 8), UInt8(length & 0xFF))
            add(number * 30_000, to: &packet.octets, at: tcp(packet.octets) + 4)
            changed.packets.insert(packet, at: hello + number)
        }
        return changed
    }

    /// The longest header of version 2: what is beyond the addresses is a TLV of NOOP (PROXY protocol §2.2).
    private static let longestHeader: [UInt8] =
        [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0xFF, 0xFF]
        + [203, 0, 113, 7, 198, 51, 100, 20, 1, 2, 3, 4]
        + [4, 0xFF, 0xF0] + [UInt8](repeating: 0, count: 0xFFF0)

    @Test(arguments: [Array("PROXY TCP4 203.0.113.7 198.51.100.20 40000 8443\r\n".utf8), longestHeader])
    func `a PROXY header in front of a lost hello stays in front of the plaintext`(header: [UInt8]) throws {
        let capture = try Capture("lab-tls13-h1-tls_aes_128_gcm_sha256")
        let whole = try #require(capture.read(with: capture.store()).connections.first)
        let changed = try Self.withHeader(header, insteadOfHelloIn: capture)
        let connection = try #require(changed.read(with: capture.store()).connections.first)
        #expect(connection.reason == nil)
        #expect(connection.fromOriginator.octets.starts(with: header))
        #expect(connection.fromOriginator.octets.suffix(20) == whole.fromOriginator.octets.suffix(20))
        #expect(connection.fromResponder.octets == whole.fromResponder.octets)
    }

    @Test(arguments: names.filter { $0.contains("tls13") })
    func `a connection whose both hellos were lost is read too, in TLS 1.3`(name: String) throws {
        let capture = try Capture(name)
        let whole = try #require(capture.read(with: capture.store()).connections.first)
        var damaged = try Self.withoutHello(capture)
        damaged.packets.remove(at: try #require(damaged.packets.firstIndex { $0.octets.count > 150 }))
        let connection = try #require(damaged.read(with: capture.store()).connections.first)
        #expect(connection.reason == nil)
        #expect(connection.fromResponder.octets == whole.fromResponder.octets)
        #expect(connection.fromOriginator.octets.suffix(20) == whole.fromOriginator.octets.suffix(20))
    }

    @Test(arguments: names)
    func `keys of such a connection that come behind its records are found too`(name: String) throws {
        let capture = try Self.withoutHello(Capture(name))
        var limits = TLSLimits()
        limits.patienceNanoseconds = 3_600_000_000_000
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        let late = capture.read(with: store, limits: limits) { number in
            if number == 12 { reader.octetsArrived(capture.keys.span) }
        }
        #expect(Self.isEqual(late, capture.read(with: capture.store())))
    }

    @Test(arguments: names)
    func `without its client's hello, and with keys of others alone, a connection is given up, and why is said`(
        name: String
    ) throws {
        let capture = try Capture(name)
        let others = try Self.names.flatMap { $0 == name ? [] : try Capture($0).keys }
        let reading = try Self.withoutHello(capture).read(with: capture.store(others))
        let connection = try #require(reading.connections.first)
        #expect(connection.reason == .midstream)
        #expect(connection.fromOriginator.octets.isEmpty && connection.fromResponder.octets.isEmpty)
        #expect(reading.statistics.heldOctets == 0 && reading.statistics.waitingConnections == 0)
    }
}

/// Keeps others from a store until it is given back, as what reads a key log does for a moment.
private final class TakenStore {
    private let isWanted = DispatchSemaphore(value: 0)
    private let isGiven = DispatchSemaphore(value: 0)

    init(_ store: KeyStore) {
        let isTaken = DispatchSemaphore(value: 0)
        OwnThread.start { [isWanted, isGiven] in
            store.table.withLock { _ in
                isTaken.signal()
                isWanted.wait()
            }
            isGiven.signal()
        }
        isTaken.wait()
    }

    func give() {
        isWanted.signal()
        isGiven.wait()
    }
}
