// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
import Recordings
import TestSupport
import Testing
import TrafficModel

/// Whatever an exchange holds, a recording of it can be read back, and everything left out is counted.
@Suite struct RandomExchangeTests {
    private static func octets(_ random: inout SeededGenerator, _ most: Int) -> [UInt8] {
        let pieces: [[UInt8]] = [
            Samples.octets(Samples.separator), Samples.octets(Samples.separatorLine), [0x0A], [0x0D, 0x0A],
            Samples.octets("0\r\n\r\n"), Samples.octets("1 aa 1 0\n"), [0xFF], [0], Samples.octets("text"),
        ]
        return (0..<Int.random(in: 0...most, using: &random)).flatMap { _ in
            pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }
    }

    private static func exchange(_ random: inout SeededGenerator, at time: Int64) -> RecordedExchange {
        let framings: [[(String, String)]] = [
            [], [("Transfer-Encoding", "chunked")], [("Content-Length", "5")], [("Content-Encoding", "br")],
            [("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
        ]
        var exchange = Samples.exchange(
            ["GET", "HEAD", "POST", "CONNECT", "BAD METHOD", ""][Int.random(in: 0..<6, using: &random)],
            String(decoding: octets(&random, 2), as: UTF8.self) + "/x",
            fields: framings[Int.random(in: 0..<framings.count, using: &random)],
            content: octets(&random, 4),
            status: [101, 200, 204, 304, 404, 999][Int.random(in: 0..<6, using: &random)],
            responseFields: framings[Int.random(in: 0..<framings.count, using: &random)],
            responseContent: octets(&random, 4),
            at: time,
            integrity: Int.random(in: 0..<8, using: &random) == 0 ? ["request_gap"] : []
        )
        exchange.request.message.fields.append(RecordedField(name: "X-Any", value: octets(&random, 2)))
        if Int.random(in: 0..<8, using: &random) == 0 { exchange.response = nil }
        return exchange
    }

    @Test(arguments: [11, 12, 13] as [UInt64]) func `a .gor file holds each exchange or counts it`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let exchange = Self.exchange(&random, at: 1000)
            let marker = Samples.exchange("GET", "/marker", at: 2000)
            let (octets, losses) = Samples.gor([exchange, marker])
            let read = Samples.recording(octets)
            #expect(read.losses.isEmpty, "seed \(seed)")
            #expect(read.entries.last?.exchange.request.targetText == "/marker", "seed \(seed)")
            #expect(read.entries.count == 2 || losses.total == 1, "seed \(seed)")
            guard read.entries.count == 2, let first = read.entries.first?.exchange else { continue }
            #expect(first.request.message.content == exchange.request.message.content, "seed \(seed)")
            #expect(first.request.target == exchange.request.target, "seed \(seed)")
            if let response = first.response {
                #expect(response.message.content == exchange.response?.message.content, "seed \(seed)")
            } else {
                #expect(exchange.response == nil || losses.total == 1, "seed \(seed)")
            }
        }
    }

    @Test(arguments: [21, 22] as [UInt64]) func `an archive holds every exchange by the rules`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let exchanges = (0..<300).map { Self.exchange(&random, at: Int64($0) * 1_000_000_000) }
        let archive = try HARTests.archive(exchanges)
        #expect(HARTests.entries(archive).count == 300, "seed \(seed)")
        #expect(ArchiveRules.violations(of: archive) == [], "seed \(seed)")
    }
}
