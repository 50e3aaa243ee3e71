// Wingmirror · Apache-2.0

import Foundation
import OctetText
import Testing

@testable import HTTPReconstruction

/// Blocks as clients and servers send them, from a seed.
struct BlockSource {
    var encoder = TestEncoder()
    var random: SeededGenerator
    /// How many names beside the usual ones a message may have, and how often values change.
    private let names: [String]
    private let isResponse: Bool
    private let changesValues: Bool

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        isResponse = random.oneIn(3)
        changesValues = random.oneIn(2)
        let pool = [
            "user-agent", "accept", "accept-encoding", "x-request-id", "content-type", "te", "traceparent", "x-tenant",
            "authorization", "cookie", "cache-control", "server", "date", "x-envoy-upstream-service-time", "etag",
        ]
        names = pool.shuffled(using: &random).prefix(Int.random(in: 2...9, using: &random)).sorted()
    }

    /// The fields of the next message, and its block.
    mutating func next() -> (fields: [SeenField], block: [UInt8]) {
        var fields: [(String, String)] = []
        if isResponse {
            fields.append((":status", ["200", "204", "301", "503"].randomElement(using: &random) ?? "200"))
        } else {
            let path = "/v\(Int.random(in: 1...4, using: &random))/items"
            fields = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "shop.example.com")]
        }
        for name in names where !random.oneIn(6) {
            let value = changesValues && random.oneIn(3) ? "\(random.next())" : "constant of \(name)"
            fields.append((name, value))
        }
        var block: [UInt8] = []
        if random.oneIn(200) { block += encoder.changeLimit(to: [0, 512, 4096].randomElement(using: &random) ?? 0) }
        for (name, value) in fields {
            block += encoder.encode(name, value, inserts: !random.oneIn(4), mayRefer: !random.oneIn(20))
        }
        return (fields.map { SeenField($0.0, $0.1) }, block)
    }

    var kind: SectionKind { isResponse ? .responseOrTrailers : .request }
}

/// What a run of blocks through a partial decoder came to.
struct PartialOutcome {
    var fields = 0
    var known = 0
    var inferred = 0
    var wrong = 0
    var wrongInferred = 0
    var lostShifts = 0
    var boundaries = 0
}

extension PartialTable {
    /// Whether so many insertions since the newest floating entry are possible.
    ///
    /// Of entries that rest on a vote nothing is sure, nor are they told without a mark.
    fileprivate func holds(_ insertions: Int) -> Bool {
        floatingCount == 0 || isFloatInferred || shifts.contains(min(insertions - exactCount, ShiftSet.everything))
    }
}

@Suite struct PartialTableTests {
    /// Sends `count` blocks; loses each with a chance of one in `losses`, and joins at a random one.
    private static func run(seed: UInt64, count: Int, losses: Int) throws -> PartialOutcome {
        var source = BlockSource(seed: seed)
        var partial = TestDecoder(isWhole: source.random.oneIn(2))
        var full = TestDecoder()
        let join = partial.table.isWhole ? 0 : Int.random(in: 0..<30, using: &source.random)
        var outcome = PartialOutcome()
        var missedOctets = 0
        var missedBlocks = 0
        // Of the encoder's insertions: those before the first missed block, and those before the newest entry that floats was out of date.
        var beforeMissed = 0
        var beforeFloating = 0
        for number in 0..<count {
            let before = source.encoder.insertions
            let (fields, block) = source.next()
            let judged = try full.decode(block)
            if judged != fields { outcome.boundaries += 1 }
            guard number >= join else { continue }
            if source.random.oneIn(losses) {
                missedOctets +=
                    block.count + (source.random.oneIn(2) ? Int.random(in: 0..<200, using: &source.random) : 0)
                if missedBlocks == 0 { beforeMissed = before }
                missedBlocks += 1
                continue
            }
            // One octet inserts nothing, so that no entry begins to float.
            if missedOctets > 1 {
                let isKept = partial.table.floatingCount > 2 * partial.table.exactCount
                partial.table.blocksMissed(octets: missedOctets)
                // Entries that floated before and still do have more insertions above them.
                if !isKept { beforeFloating = beforeMissed }
                outcome.lostShifts += partial.table.holds(before - beforeFloating) ? 0 : 1
            }
            missedOctets = 0
            missedBlocks = 0
            let seen = try partial.decode(block, as: source.kind)
            outcome.lostShifts += partial.table.holds(source.encoder.insertions - beforeFloating) ? 0 : 1
            if seen.count != judged.count { outcome.boundaries += 1 }
            for (field, truth) in zip(seen, judged) {
                outcome.fields += 1
                let isWrong =
                    field.name != nil && field.name != truth.name || field.value != nil && field.value != truth.value
                if field.value != nil { outcome.known += 1 }
                if field.isInferred { outcome.inferred += 1 }
                if isWrong { if field.isInferred { outcome.wrongInferred += 1 } else { outcome.wrong += 1 } }
            }
        }
        return outcome
    }

    @Test(arguments: 0..<40, [5, 40, 1_000_000])
    func `a field without a mark is what the full decoder has`(seed: UInt64, losses: Int) throws {
        let outcome = try Self.run(seed: seed, count: 150, losses: losses)
        #expect(outcome.wrong == 0, "seed \(seed)")
        #expect(outcome.wrongInferred == 0, "seed \(seed)")
        #expect(outcome.lostShifts == 0, "seed \(seed)")
        #expect(outcome.boundaries == 0, "seed \(seed)")
        #expect(outcome.known > 0)
    }

    /// Ten million blocks take minutes in a release build: `PARTIAL_TABLE_BLOCKS=10000000 swift test -c release …`.
    @Test func `many random blocks give no wrong field`() throws {
        let blocks = ProcessInfo.processInfo.environment["PARTIAL_TABLE_BLOCKS"].flatMap { Int($0) } ?? 2_000
        var total = PartialOutcome()
        for seed in 0..<UInt64(max(1, blocks / 500)) {
            let outcome = try Self.run(seed: seed &+ 1_000_000, count: 500, losses: [10, 30, 100][Int(seed % 3)])
            total.fields += outcome.fields
            total.known += outcome.known
            total.inferred += outcome.inferred
            total.wrong += outcome.wrong
            total.wrongInferred += outcome.wrongInferred
            total.lostShifts += outcome.lostShifts
            total.boundaries += outcome.boundaries
        }
        print("partial table:", total)
        #expect(total.wrong == 0)
        #expect(total.lostShifts == 0)
        #expect(total.boundaries == 0)
    }

    @Test(arguments: ["nghttp2", "go-hpack", "swift-nio-hpack-plain-text"], 0..<6)
    func `recorded stories with losses give no wrong field`(encoder: String, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for (name, story) in try Fixtures.read("hpack/\(encoder)", as: HPACKStory.self) {
            var partial = TestDecoder(isWhole: true)
            var missed = 0
            for (number, block) in story.cases.enumerated() {
                if random.oneIn(8) {
                    missed += block.wire.octets.count
                    continue
                }
                if missed > 0 { partial.table.blocksMissed(octets: missed) }
                missed = 0
                let isResponse = block.headers.contains { $0[0] == ":status" }
                let fields = try partial.decode(
                    block.wire.octets,
                    as: isResponse ? .responseOrTrailers : .requestOrTrailers
                )
                #expect(fields.count == block.headers.count)
                for (field, expected) in zip(fields, block.headers) {
                    #expect(field.name == nil || field.name == expected[0], "\(name), case \(number), seed \(seed)")
                    #expect(field.value == nil || field.value == expected[1], "\(name), case \(number), seed \(seed)")
                }
            }
        }
    }

    // MARK: - Single rules

    /// A request of the same names each time, of which `path` changes.
    private static func request(_ encoder: inout TestEncoder, path: String, extra: [(String, String)] = []) -> [UInt8] {
        var block: [UInt8] = []
        let fields =
            [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "shop.example.com")]
            + [("user-agent", "test"), ("x-tenant", "a"), ("accept", "*/*")] + extra
        for (name, value) in fields { block += encoder.encode(name, value, inserts: true) }
        return block
    }

    @Test func `entries inserted since a late join are certain, older ones unknown`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        _ = Self.request(&encoder, path: "/a")
        var decoder = TestDecoder(isWhole: false)
        let first = try decoder.decode(Self.request(&encoder, path: "/b"), as: .request)
        #expect(first.map(\.value) == ["GET", "http", "/b", nil, nil, nil, nil])
        let second = try decoder.decode(Self.request(&encoder, path: "/b"), as: .request)
        #expect(second[2] == SeenField(":path", "/b"))
    }

    @Test func `a hole too small for an insertion changes nothing`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        decoder.table.blocksMissed(octets: 1)
        let fields = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        #expect(fields.allSatisfy { $0.value != nil && !$0.isInferred })
    }

    @Test func `a rule that all shifts but one break proves that one`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        // A lost block that inserts nothing, in a hole of two octets: none or one insertion.
        _ = encoder.encode(":path", "/a", inserts: true)
        decoder.table.blocksMissed(octets: 2)
        let candidates = decoder.table.shifts.count
        #expect(candidates == 2)
        // With a shift of one `:path` would be a second `:authority`, and missing.
        let fields = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        #expect(fields.map(\.value) == ["GET", "http", "/a", "shop.example.com", "test", "a", "*/*"])
        #expect(fields.allSatisfy { !$0.isInferred })
        let floating = decoder.table.floatingCount
        #expect(floating == 0)
    }

    @Test func `five names that fit one shift only settle it, and mark the fields`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        for _ in 0..<3 { _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request) }
        let lost = Self.request(&encoder, path: "/b", extra: [("x-other", "1")])
        decoder.table.blocksMissed(octets: lost.count + 60)
        let fields = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        #expect(fields.map(\.value) == ["GET", "http", "/a", "shop.example.com", "test", "a", "*/*"])
        #expect(fields[2].isInferred)
        #expect(!fields[0].isInferred)
    }

    @Test func `four names settle it as well, where each is the only one of its name`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        func block(_ number: Int) -> [UInt8] {
            let fields = [
                (":method", "GET"), (":scheme", "http"), (":path", "/\(number)"), (":authority", "shop.example.com"),
                ("user-agent", "test"), ("x-tenant", "a"), ("accept", "*/*"),
            ]
            return fields.flatMap { encoder.encode($0.0, $0.1, inserts: $0.0 != ":path") }
        }
        for number in 0..<3 { _ = try decoder.decode(block(number), as: .request) }
        let lost = block(3) + encoder.encode("x-other", "1", inserts: true)
        decoder.table.blocksMissed(octets: lost.count)
        let fields = try decoder.decode(block(4), as: .request)
        #expect(fields.suffix(4).map(\.value) == ["shop.example.com", "test", "a", "*/*"])
        #expect(fields.suffix(4).allSatisfy { $0.isInferred })
    }

    /// A client whose table has no room for all of its headers inserts them again and again: what a hole has inserted lies as what
    /// was there before it did.
    @Test func `a table that may have been renewed in a hole is not taken for the one before`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        func block(_ path: String, _ authority: String, _ number: Int) -> [UInt8] {
            let fields = [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
                ("user-agent", "fuzz/2"), ("accept", "*/*"), ("x-request-id", "0123456789abcde\(number)"),
                ("content-type", "application/grpc"), ("te", "trailers"),
            ]
            return fields.flatMap { encoder.encode($0.0, $0.1, inserts: true) }
        }
        let limit = encoder.changeLimit(to: 500)
        _ = try decoder.decode(limit + block("/pkg.S/M0", "h0.test", 0), as: .request)
        _ = try decoder.decode(block("/pkg.S/M1", "h2.test", 1), as: .request)
        let lost = block("/pkg.S/M0", "h0.test", 2) + block("/pkg.S/M2", "h1.test", 3)
        decoder.table.blocksMissed(octets: lost.count)
        let fields = try decoder.decode(block("/pkg.S/M1", "h1.test", 4), as: .request)
        #expect(fields.map(\.value).prefix(4) == ["POST", "http", "/pkg.S/M1", nil])
    }

    /// Entries of two clients lie in the same order, and the hole has inserted as many as lie between them.
    @Test func `a shift that fits but for what the hole inserted keeps another from being believed`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        func block(_ client: Int, other: Int, more: [(String, String)] = []) -> [UInt8] {
            let fields = [
                (":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "\(other).example"),
                ("user-agent", "agent \(client)"), ("accept-language", "l\(client)"), ("x-tenant", "t\(client)"),
            ]
            let all = fields + more + [("x-a", "a\(other)"), ("x-b", "b\(other)")]
            return all.flatMap { encoder.encode($0.0, $0.1, inserts: true) }
        }
        for client in 1...2 { _ = try decoder.decode(block(client, other: client), as: .request) }
        let lost = block(2, other: 3, more: [("x-c", "1"), ("x-d", "1"), ("x-e", "1")])
        decoder.table.blocksMissed(octets: lost.count)
        for _ in 0..<4 {
            let fields = try decoder.decode(block(2, other: 3), as: .request)
            #expect(fields.dropFirst(3).allSatisfy { $0.value == nil })
        }
    }

    @Test func `two names need two votes`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x-a", "1"), ("x-b", "2")]
        func block(_ encoder: inout TestEncoder) -> [UInt8] {
            fields.flatMap { encoder.encode($0.0, $0.1, inserts: $0.0.hasPrefix("x")) }
        }
        encoder.prefersStaticNames = true
        for _ in 0..<3 { _ = try decoder.decode(block(&encoder), as: .request) }
        let lost = encoder.encode("x-other", "1", inserts: true)
        decoder.table.blocksMissed(octets: lost.count)
        let first = try decoder.decode(block(&encoder), as: .request)
        #expect(first.suffix(2).map(\.value) == [nil, nil])
        let second = try decoder.decode(block(&encoder), as: .request)
        #expect(second.suffix(2).map(\.value) == ["1", "2"])
        #expect(second.last?.isInferred == true)
    }

    /// A request with headers of these names, each of which has one value.
    private static func request(_ encoder: inout TestEncoder, headers: [String]) -> [UInt8] {
        let fields = [
            (":method", "GET"), (":scheme", "http"), (":authority", "shop.example.com"), (":path", "/"),
        ]
        return (fields + headers.map { ($0, "1") }).flatMap { encoder.encode($0.0, $0.1, inserts: true) }
    }

    @Test func `requests of which each has other headers are told by the order of those that they share`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        for headers in [["x-kind"], ["x-a", "x-kind"]] {
            _ = try decoder.decode(Self.request(&encoder, headers: headers), as: .request)
        }
        decoder.table.blocksMissed(octets: Self.request(&encoder, headers: ["x-b", "x-kind"]).count)
        let first = try decoder.decode(Self.request(&encoder, headers: ["x-c", "x-kind"]), as: .request)
        #expect(first[2].value == nil)
        let second = try decoder.decode(Self.request(&encoder, headers: ["x-d", "x-kind"]), as: .request)
        #expect(second.map(\.value) == ["GET", "http", "shop.example.com", "/", "1", "1"])
        #expect(second[2].isInferred && second[5].isInferred && !second[4].isInferred)
    }

    @Test func `the order of a client that sends headers in any order tells nothing`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        for headers in [["x-kind", "x-a"], ["x-a", "x-kind"]] {
            _ = try decoder.decode(Self.request(&encoder, headers: headers), as: .request)
        }
        decoder.table.blocksMissed(octets: Self.request(&encoder, headers: ["x-kind", "x-a", "x-b"]).count)
        for name in ["x-c", "x-d", "x-e"] {
            let fields = try decoder.decode(
                Self.request(&encoder, headers: [name, "x-kind", "x-a"]),
                as: .request
            )
            #expect(fields[2].value == nil)
        }
    }

    /// A request that begins as all others do, and ends as none does.
    private static func request(
        _ encoder: inout TestEncoder,
        authority: String = "shop.example.com",
        agent: String = "test",
        accept: String = "*/*",
        ending: Int
    ) -> [UInt8] {
        let fields = [
            (":method", "GET"), (":path", "/\(ending)"), (":scheme", "http"), (":authority", authority),
            ("user-agent", agent), ("accept", accept), ("x-\(ending)", "1"), ("x-\(ending)-other", "2"),
        ]
        return fields.flatMap { encoder.encode($0.0, $0.1, inserts: $0.0 != ":path") }
    }

    @Test func `requests that no two end alike are told by how they begin`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        for number in 0..<3 { _ = try decoder.decode(Self.request(&encoder, ending: number), as: .request) }
        decoder.table.blocksMissed(octets: Self.request(&encoder, ending: 3).count)
        let first = try decoder.decode(Self.request(&encoder, ending: 4), as: .request)
        #expect(first[3].value == nil)
        let second = try decoder.decode(Self.request(&encoder, ending: 5), as: .request)
        #expect(second[3...5].map(\.value) == ["shop.example.com", "test", "*/*"])
        #expect(second[3...5].allSatisfy { $0.isInferred })
        let third = try decoder.decode(Self.request(&encoder, ending: 6), as: .request)
        #expect(third[3].value == "shop.example.com")
    }

    /// A proxy that sends requests of many clients on one connection: which of them was lost is not known.
    @Test func `a beginning whose names have several values settles nothing`() throws {
        var encoder = TestEncoder()
        encoder.prefersStaticNames = true
        var decoder = TestDecoder()
        for number in 0..<2 {
            let block = Self.request(&encoder, authority: "\(number).example", agent: "\(number)", ending: number)
            _ = try decoder.decode(block, as: .request)
        }
        func lost() -> [UInt8] { Self.request(&encoder, authority: "9.example", agent: "9", accept: "9", ending: 9) }
        decoder.table.blocksMissed(octets: lost().count)
        for _ in 0..<4 {
            let fields = try decoder.decode(lost(), as: .request)
            #expect(fields[3...5].allSatisfy { $0.value == nil || ["9.example", "9"].contains($0.value) })
        }
    }

    @Test func `a reference to a lost insertion keeps no shift from being found`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        encoder.prefersStaticNames = true
        func block(_ number: Int, _ encoder: inout TestEncoder) -> [UInt8] {
            let fixed = [(":method", "GET"), (":scheme", "http"), (":authority", "shop.example.com")]
            let fields = fixed + [(":path", "/\(number)"), ("x-id", "\(number)"), ("x-kind", "api")]
            return fields.flatMap { encoder.encode($0.0, $0.1, inserts: true) }
        }
        for number in 0..<4 { _ = try decoder.decode(block(number, &encoder), as: .request) }
        // The names of later `x-id` refer to the entry that is lost with this block.
        decoder.table.blocksMissed(octets: block(4, &encoder).count)
        var known: [String?] = []
        for number in 5..<8 { known.append(try decoder.decode(block(number, &encoder), as: .request)[2].value) }
        #expect(known == ["shop.example.com", "shop.example.com", "shop.example.com"])
    }

    @Test func `a size update to zero makes the table whole again`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        decoder.table.blocksMissed(octets: 300)
        let block = encoder.changeLimit(to: 0) + encoder.changeLimit(to: 4096) + Self.request(&encoder, path: "/a")
        let fields = try decoder.decode(block, as: .request)
        #expect(fields.allSatisfy { $0.value != nil })
        let isWhole = decoder.table.isWhole
        #expect(isWhole)
    }

    @Test func `names that floated are known once their shift is`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        for _ in 0..<2 { _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request) }
        decoder.table.blocksMissed(octets: 80)
        // Inserted while the name floats.
        _ = try decoder.decode(Self.request(&encoder, path: "/a", extra: [("x-tenant", "b")]), as: .request)
        for _ in 0..<2 { _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request) }
        let fields = try decoder.decode(encoder.encode("x-tenant", "b", inserts: false), as: .requestOrTrailers)
        #expect(fields.map(\.name) == ["x-tenant"])
        #expect(fields.map(\.value) == ["b"])
    }

    @Test func `what floats at a second loss is kept where little was inserted since the first`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        encoder.prefersStaticNames = true
        for _ in 0..<3 { _ = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request) }
        let before = decoder.table.exactCount
        // One entry is missed, one is inserted, and two more are missed: they are four together.
        _ = encoder.encode("x-missed", "1", inserts: true)
        decoder.table.blocksMissed(octets: 40)
        _ = try decoder.decode(encoder.encode("x-new", "1", inserts: true), as: .requestOrTrailers)
        for name in ["x-missed-too", "x-missed-as-well"] { _ = encoder.encode(name, "1", inserts: true) }
        decoder.table.blocksMissed(octets: 40)
        let floating = decoder.table.floatingCount
        #expect(floating == before)
        let mayBeFour = decoder.table.shifts.contains(4)
        let mayBeNone = decoder.table.shifts.contains(0)
        #expect(mayBeFour && !mayBeNone)
        let fields = try decoder.decode(Self.request(&encoder, path: "/a"), as: .request)
        #expect(fields.map(\.value) == ["GET", "http", "/a", "shop.example.com", "test", "a", "*/*"])
    }

    @Test func `what floats at a second loss is given up where more was inserted since the first`() throws {
        var encoder = TestEncoder()
        var decoder = TestDecoder()
        _ = try decoder.decode(encoder.encode("x-old", "1", inserts: true), as: .requestOrTrailers)
        decoder.table.blocksMissed(octets: 300)
        _ = try decoder.decode(encoder.encode("x-new", "1", inserts: true), as: .requestOrTrailers)
        decoder.table.blocksMissed(octets: 300)
        let floating = decoder.table.floatingCount
        #expect(floating == 1)
        let field = try decoder.decode(encoder.encode("x-old", "1", inserts: false), as: .requestOrTrailers)
        #expect(field.map(\.value) == [nil])
    }
}
