// Wingmirror · Apache-2.0

import FoundationEssentials
import JSONSyntax
import OctetText
import PacketDecoding
import TCPReassembly
import TestSupport

/// What fuzzing begins with: the fixtures of the tests and the samples, in the form that each target takes.
package enum FuzzSeeds {
    /// An input and what it was made of.
    package struct Seed: Sendable {
        /// The name of the fixture, and a number where it gives several.
        package let name: String
        /// The input.
        package let octets: [UInt8]
    }

    /// Octets of the largest fixture that is used: mutating larger ones changes little at a time.
    private static let largest = 48 << 10

    /// The seeds of a target.
    ///
    /// - Throws: That the repository's fixtures cannot be read.
    package static func all(of target: FuzzTarget) throws -> [Seed] {
        switch target {
        case .packets: try captures { [packets(of: $0)] }
        case .segments: try captures { [segments(of: $0)] }
        case .streams: try captures { streams(of: $0).map(\.script) }
        case .tls: try captures(named: "TLSDecryptionTests") { streams(of: $0).map(\.script) }
        case .messages:
            try captures { streams(of: $0).flatMap { [[0] + $0.fromOriginator, [1] + $0.fromResponder] } }
        case .http2:
            try files("HTTPReconstructionTests", "json").filter { $0.name.contains("http2-frames") }
                .map { Seed(name: $0.name, octets: frames(in: $0.octets)) }
        case .hpack:
            try files("HTTPReconstructionTests", "json").filter { $0.name.contains("hpack") }
                .map { Seed(name: $0.name, octets: fieldBlocks(in: $0.octets)) }
        case .keyLog: try files("TLSDecryptionTests", "keys")
        case .savefile: try files("", "pcap") + files("", "pcapng") + files("", "gz")
        case .yaml: try files("", "yaml")
        case .json: try files("JSONSyntaxTests", "json") + files("AgentCommandsTests", "json")
        case .gor: try files("RecordingsTests", "gor") + texts(recordings)
        case .har: texts([archive])
        case .records: texts([records])
        case .proxy: proxyHeaders.enumerated().map { Seed(name: "proxy-\($0)", octets: [UInt8($0)] + $1) }
        case .redaction:
            redactions.enumerated().map { Seed(name: "redaction-\($0)", octets: [$1.0] + Array($1.1.utf8)) }
        }
    }

    // MARK: - Files

    /// The fixtures of some tests, or with an empty name those of all and the samples, that end in `.suffix`.
    private static func files(_ tests: String, _ suffix: String) throws -> [Seed] {
        let roots = tests.isEmpty ? ["Tests", "samples"] : ["Tests/\(tests)/Fixtures"]
        var seeds: [Seed] = []
        for root in roots {
            let folder = "\(Repository.path)/\(root)"
            for name in try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() {
                guard name.hasSuffix("." + suffix) else { continue }
                let octets = Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
                guard octets.count <= largest else { continue }
                seeds.append(Seed(name: name.split(separator: "/").joined(separator: "-"), octets: octets))
            }
        }
        return seeds
    }

    /// What the little-endian captures among the fixtures give, and the beginning of the sample.
    private static func captures(
        named tests: String = "",
        _ make: (SavefileContent) -> [[UInt8]]
    ) throws -> [Seed] {
        var found = try files(tests, "pcap")
        if tests.isEmpty {
            let path = "\(Repository.path)/samples/captures/ingress.pcap"
            found.append(Seed(name: "ingress.pcap", octets: Array(try Data(contentsOf: URL(filePath: path)))))
        }
        return found.flatMap { file in
            guard let content = SavefileContent(file.octets) else { return [Seed]() }
            return make(content).enumerated().filter { !$1.isEmpty }
                .map { Seed(name: "\(file.name)-\($0)", octets: $1) }
        }
    }

    private static func texts(_ texts: [String]) -> [Seed] {
        texts.enumerated().map { Seed(name: "text-\($0)", octets: Array($1.utf8)) }
    }

    // MARK: - Captures

    private static func packets(of content: SavefileContent) -> [UInt8] {
        guard let first = content.packets.first else { return [] }
        var result: [UInt8] = []
        result.append(number: Int(first.description.linkType.rawValue))
        for packet in content.packets.prefix(24) {
            result.append(number: 1)
            result.append(counted: packet.octets.span)
        }
        return result
    }

    /// Calls `body` with the segments of a capture's first packets, and the octets that they refer to.
    private static func forEachSegment(of content: SavefileContent, _ body: (TCPSegment, [UInt8], PacketTime) -> Void) {
        var decoder = PacketDecoder()
        for packet in content.packets.prefix(400) {
            guard case .segment(let segment) = decoder.decode(packet.octets.span, of: packet.description) else {
                continue
            }
            body(segment, packet.octets, packet.description.time)
        }
    }

    private static func segments(of content: SavefileContent) -> [UInt8] {
        typealias Mark = TrafficFuzzing.SegmentMark
        var result: [UInt8] = []
        var clients: [Endpoint] = []
        forEachSegment(of: content) { segment, octets, _ in
            guard result.count < 8192 else { return }
            let isResponse = clients.contains(segment.destination)
            let client = isResponse ? segment.destination : segment.source
            if !clients.contains(client) {
                guard clients.count < 4 else { return }
                clients.append(client)
            }
            var marks = UInt8((clients.firstIndex(of: client) ?? 0) << 1) | (isResponse ? Mark.fromResponder : 0)
            if segment.flags.contains(.syn) { marks |= Mark.syn }
            if segment.flags.contains(.fin) { marks |= Mark.fin }
            if segment.flags.contains(.rst) { marks |= Mark.reset }
            result.append(marks)
            result.append(counted: octets.span.extracting(segment.payload))
        }
        return result
    }

    private static func streams(of content: SavefileContent) -> [StreamRecorder.Recording] {
        var connections = ConnectionTable()
        var recorder = StreamRecorder()
        forEachSegment(of: content) { segment, octets, time in
            connections.segmentArrived(segment, octets: octets.span, at: time, interface: 0, into: &recorder)
        }
        connections.captureEnded(at: PacketTime(nanoseconds: 0), into: &recorder)
        return recorder.recordings.prefix(12).filter { $0.script.count <= largest }
    }

    // MARK: - HTTP/2

    private static func wires(in octets: [UInt8]) -> [[UInt8]] {
        guard let value = try? JSONDocument.parse(octets) else { return [] }
        if case .string(let wire)? = value["wire"] { return [octetsOf(hexadecimal: wire)] }
        guard case .array(let cases)? = value["cases"] else { return [] }
        return cases.prefix(12).compactMap {
            guard case .string(let wire)? = $0["wire"] else { return nil }
            return octetsOf(hexadecimal: wire)
        }
    }

    private static func octetsOf(hexadecimal text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func frames(in octets: [UInt8]) -> [UInt8] {
        wires(in: octets).reduce(into: []) { result, wire in
            guard wire.count >= 9 else { return }
            result += [wire[3] << 2, wire[4], wire[8]]
            result.append(counted: wire.span.extracting(9..<wire.count))
        }
    }

    private static func fieldBlocks(in octets: [UInt8]) -> [UInt8] {
        wires(in: octets).enumerated().reduce(into: []) { result, block in
            result.append(UInt8(block.offset & 1) << 1 | 24)
            result.append(counted: block.element.span)
        }
    }

    // MARK: - Texts

    private static let proxyHeaders: [[UInt8]] = [
        Array("PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
        Array("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 40000 80\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
        Array("PROXY UNKNOWN anything\r\nGET / HTTP/1.0\r\n\r\n".utf8),
        Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x9C, 0x40, 0, 80]
            + Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
        Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x20, 0, 0, 5, 3, 0, 2, 1, 1] + Array("GET / HTTP/1.1\r\n\r\n".utf8),
        Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x21, 0, 36] + [UInt8](repeating: 1, count: 36),
    ]

    private static let recordings = [
        "1 0123456789abcdef01234567 1764316800000000000 0\nGET /a?b=1 HTTP/1.1\r\nHost: h\r\n\r\n"
            + "\n🐵🙈🙉\n2 0123456789abcdef01234567 1764316800010000000 10000000\n"
            + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi\n🐵🙈🙉\n",
        "1 a 1 2\nPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nT: 1\r\n\r\n\n🐵🙈🙉\n",
    ]

    private static let archive = #"""
        {"log":{"version":"1.2","creator":{"name":"b","version":"1"},"entries":[
        {"startedDateTime":"2026-11-23T04:06:00.123+01:00","time":3.5,"timings":{"send":0,"wait":1.25,"receive":2},
        "request":{"method":"POST","url":"https://u@h:8443/a?b=1","httpVersion":"HTTP/2","headers":[{"name":"Host",
        "value":"h"},{"name":":method","value":"POST"}],"cookies":[],"queryString":[{"name":"b","value":"1"}],
        "postData":{"mimeType":"text/plain","text":"x"},"headersSize":-1,"bodySize":1},
        "response":{"status":200,"statusText":"OK","httpVersion":"HTTP/2","headers":[{"name":"Set-Cookie",
        "value":"a=b; Path=/"}],"cookies":[],"content":{"size":2,"mimeType":"text/plain","text":"aGk=",
        "encoding":"base64"},"redirectURL":"","headersSize":-1,"bodySize":2},"_sampleWeight":4}]}}
        """#

    private static let records = #"""
        {"client":"10.0.0.9:51034","server":"[2001:db8::1]:80","connection":17,"exchange":0,"startTime":"2026-11-23T04:06:00.123456Z","protocol":"HTTP/1.1","request":{"method":"POST","target":"/a","scheme":"http","authority":"h","fieldCount":1,"contentBytes":2,"trailerCount":0,"fields":[["Host","h"]],"content":"aGk=","contentTruncated":false},"response":{"status":200,"fieldCount":1,"contentBytes":1,"trailerCount":0,"interim":[103],"fields":[["A","b"]],"content":"eA=="},"timing":{"responseFirstByteSeconds":0.0021,"durationSeconds":0.0034},"integrity":[],"route":{"outcome":"route","gateway":"d/g","virtualService":"d/v","rule":0,"match":0,"routeName":"","action":"forward","destinations":[]}}
        {"connection":18,"request":null,"response":null,"startTime":"1969-12-31T23:59:59Z"}

        """#

    private static let redactions: [(UInt8, String)] = [
        (0, "http://u:p@h:80/a;jsessionid=1/b?token=t&x&next=http%3A%2F%2Fh%2F%3Ftoken%3D1#f"),
        (1, "<https://h/?token=1>; rel=next, </b?sig=2>"), (2, "a=b&password=c&user=d%20e&=&%zz"),
        (3, "https://u:p@h/?a=b;access_token=c&next=//u:p@h/"),
        (4, #"{"user":{"email":"a@b.c"},"items":[{"id":1},{"id":"x"}],"password":"p"}"#),
        (5, "password=a&user=b"),
        (6, "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nsecret\r\n--b--\r\n"),
        (7, "--a b\r\nContent-Disposition: form-data; name=user; filename=\"f\"\r\n\r\nx\r\n--a b--"),
    ]
}
