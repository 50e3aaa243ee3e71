// Wingmirror · Apache-2.0
// RFC 9113 §4 and §6, with the vectors of http2jp/http2-frame-test-case.

import OctetText
import Testing

@testable import HTTPReconstruction

/// One file of `Fixtures/http2-frames`.
struct FrameVector: Decodable {
    let description: String
    let wire: HexOctets
    let error: [Int]?
    let frame: Frame?

    struct Frame: Decodable {
        let length: Int
        let flags: UInt8
        let streamIdentifier: UInt32
        let type: UInt8
        let framePayload: Payload
    }

    struct Payload: Decodable {
        let headerBlockFragment: String?
        let errorCode: UInt32?
        let lastStreamId: UInt32?
    }
}

/// What a reader said of octets.
struct FrameTranscript: Equatable {
    var fragments: [UInt8] = []
    var content: [UInt8] = []
    var events: [String] = []
    var error: FrameError?

    /// Reads octets in pieces of `step`.
    init(_ octets: [UInt8], step: Int = .max, reader: FrameReader = FrameReader(expectsPreface: false)) {
        var reader = reader
        var start = 0
        while start < octets.count, error == nil {
            let end = step < octets.count - start ? start + step : octets.count
            read(Array(octets[start..<end]), &reader)
            start = end
        }
    }

    private mutating func read(_ octets: [UInt8], _ reader: inout FrameReader) {
        var index = 0
        while error == nil, let step = reader.next(octets.span, from: index) {
            switch step {
            case .passed(let next): index = next
            case .blockBegan(let stream, let endsStream, let isPromise, let next):
                events.append("\(isPromise ? "promise" : "headers") on \(stream)\(endsStream ? ", the last" : "")")
                index = next
            case .fragment(let range, let endsBlock):
                fragments += octets[range]
                if endsBlock { events.append("block over") }
                index = range.upperBound
            case .content(_, let range):
                content += octets[range]
                index = range.upperBound
            case .contentEnded(let stream, let endsStream, let next):
                events.append("data on \(stream)\(endsStream ? ", the last" : "")")
                index = next
            case .reset(let stream, let code, let next):
                events.append("reset of \(stream): \(code)")
                index = next
            case .goAway(let last, let code, let next):
                events.append("go away after \(last): \(code)")
                index = next
            case .setting(let identifier, let value, let next):
                events.append("setting \(identifier): \(value)")
                index = next
            case .failed(let failure, _): error = failure
            }
        }
    }
}

/// Frames as a test writes them.
enum TestFrame {
    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags]
            + (0..<4).map { UInt8(truncatingIfNeeded: stream >> UInt32(24 - 8 * $0)) } + payload
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
}

@Suite struct FrameReaderTests {
    private static var vectors: [(name: String, file: FrameVector)] {
        get throws { try Fixtures.read("http2-frames", as: FrameVector.self) }
    }

    @Test func `the vectors give the frame or the error that they say`() throws {
        // WINDOW_UPDATE says nothing about messages, so its payload is passed over.
        let unread = ["error-window_update-frame-increment"]
        for (name, vector) in try Self.vectors where !unread.contains(name) {
            var wire = vector.wire.octets
            // A continuation needs a block to continue.
            if name.hasPrefix("continuation") {
                wire = TestFrame.frame(1, 0, vector.frame?.streamIdentifier ?? 0, []) + wire
            }
            for step in [Int.max, 1, 5] {
                let seen = FrameTranscript(wire, step: step)
                #expect((seen.error != nil) == (vector.error != nil), "\(name)")
                if let fragment = vector.frame?.framePayload.headerBlockFragment {
                    #expect(String(decoding: seen.fragments, as: UTF8.self) == fragment, "\(name)")
                }
                if let code = vector.frame?.framePayload.errorCode, let frame = vector.frame {
                    let expected =
                        frame.type == 3
                        ? "reset of \(frame.streamIdentifier): \(code)"
                        : "go away after \(frame.framePayload.lastStreamId ?? 0): \(code)"
                    #expect(seen.events == [expected], "\(name)")
                }
            }
        }
    }

    @Test(arguments: [Int.max, 1, 2, 3, 7])
    func `a connection is read the same in pieces of any size`(step: Int) {
        let octets =
            TestFrame.preface + TestFrame.frame(4, 0, 0, [0, 5, 0, 1, 0, 0, 0xFE, 3, 0, 0, 0, 1])
            + TestFrame.frame(1, 0x29, 1, [2, 0, 0, 0, 0, 16] + [0x82, 0x86] + [0, 0])
            + TestFrame.frame(9, 0, 1, [0x84]) + TestFrame.frame(9, 4, 1, [])
            + TestFrame.frame(0x2A, 0xFF, 7, [1, 2, 3])
            + TestFrame.frame(0, 9, 3, [3] + Array("body".utf8) + [0, 0, 0])
            + TestFrame.frame(0, 1, 5, []) + TestFrame.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
            + TestFrame.frame(8, 0, 0, [0, 0, 1, 0]) + TestFrame.frame(2, 0, 9, [0, 0, 0, 0, 1])
            + TestFrame.frame(5, 4, 1, [0, 0, 0, 2, 0x82]) + TestFrame.frame(7, 0, 0, [0, 0, 0, 5, 0, 0, 0, 2, 65, 66])
        let seen = FrameTranscript(octets, step: step, reader: FrameReader(expectsPreface: true))
        #expect(seen.error == nil)
        #expect(seen.fragments == [0x82, 0x86, 0x84, 0x82])
        #expect(seen.content == Array("body".utf8))
        #expect(
            seen.events == [
                "setting 5: 65536", "setting 65027: 1", "headers on 1, the last", "block over", "data on 3, the last",
                "data on 5, the last", "promise on 1", "block over", "go away after 5: 2",
            ]
        )
    }

    private static let interruptions: [(String, [UInt8])] = [
        ("a frame of another type inside a block", TestFrame.frame(1, 0, 1, [0x82]) + TestFrame.frame(0, 0, 1, [1])),
        ("a continuation of another stream", TestFrame.frame(1, 0, 1, [0x82]) + TestFrame.frame(9, 4, 3, [0x82])),
        (
            "a ping inside a block",
            TestFrame.frame(1, 0, 1, []) + TestFrame.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
        ),
        ("an unknown frame inside a block", TestFrame.frame(1, 0, 1, []) + TestFrame.frame(0x2A, 0, 1, [])),
        ("headers inside a block", TestFrame.frame(1, 0, 1, []) + TestFrame.frame(1, 4, 3, [0x82])),
        ("a bare continuation", TestFrame.frame(9, 4, 1, [0x82])),
        ("a continuation of a block that is over", TestFrame.frame(1, 4, 1, [0x82]) + TestFrame.frame(9, 4, 1, [0x82])),
    ]

    @Test(arguments: interruptions)
    func `nothing but its continuation may follow a block that is not over`(label: String, octets: [UInt8]) {
        #expect(FrameTranscript(octets).error == .continuation)
    }

    @Test func `octets that differ from the preface are refused at the first that does`() {
        for index in TestFrame.preface.indices {
            var octets = TestFrame.preface
            octets[index] ^= 1
            let seen = FrameTranscript(octets, step: 1, reader: FrameReader(expectsPreface: true))
            #expect(seen.error == .preface)
        }
    }

    @Test func `a length above the receiver's limit is refused, and one that it allows is not`() {
        let frame = TestFrame.frame(0, 0, 1, [UInt8](repeating: 7, count: 20_000))
        #expect(FrameTranscript(frame).error == .frameSize)
        var reader = FrameReader(expectsPreface: false)
        reader.lengthLimit = 1 << 20
        #expect(FrameTranscript(frame, reader: reader).content.count == 20_000)
    }

    @Test func `a hole inside content is passed over by arithmetic`() {
        var reader = FrameReader(expectsPreface: false)
        let head = Array(TestFrame.frame(0, 1, 3, [UInt8](repeating: 7, count: 100))[..<20])
        var index = 0
        while let step = reader.next(head.span, from: index) {
            switch step {
            case .passed(let next): index = next
            case .content(_, let range): index = range.upperBound
            default: Issue.record("unexpected")
            }
        }
        let hole = reader.missing(89)
        #expect(!hole.breaksBlock && hole.blockOctets == 0 && !hole.isLost)
        #expect(hole.contentStream == 3)
        #expect(hole.content == 89)
        let empty: [UInt8] = []
        guard case .contentEnded(3, true, _) = reader.next(empty.span, from: 0) else {
            Issue.record("the end of the frame is known")
            return
        }
        #expect(reader.isBetweenFrames)
    }

    @Test func `a hole beyond a frame loses the boundary, and says how much may have been blocks`() {
        var reader = FrameReader(expectsPreface: false)
        let head = TestFrame.frame(0, 0, 3, [1, 2, 3, 4]).dropLast(2)
        var index = 0
        let octets = Array(head)
        while let step = reader.next(octets.span, from: index) {
            switch step {
            case .passed(let next): index = next
            case .content(_, let range): index = range.upperBound
            default: Issue.record("unexpected")
            }
        }
        let hole = reader.missing(50)
        #expect(hole.isLost)
        #expect(hole.content == 2)
        #expect(hole.blockOctets == 48)
        #expect(reader.isLost)
    }
}

@Suite struct FrameSearchTests {
    private static func search(_ kind: MessageKind, highest: UInt32) -> FrameSearch {
        FrameSearch(
            expectations: FrameExpectations(kind: kind, lengthLimit: 16_384, highestStream: highest),
            knowsStreams: highest > 0
        )
    }

    private static func found(
        _ octets: [UInt8],
        of kind: MessageKind = .request,
        highest: UInt32,
        startsSegment: Bool = false
    ) -> Int? {
        search(kind, highest: highest).boundary(
            in: octets.span,
            from: 0,
            startsSegment: startsSegment,
            onlyAtStart: false
        ) { $0 & 1 == 1 && $0 <= highest }
    }

    @Test func `a chain of frames to the end of the segment is found behind the rest of another`() {
        let rest = Array("the rest of some content".utf8)
        let octets = rest + TestFrame.frame(1, 5, 9, [0x82, 0x86]) + TestFrame.frame(8, 0, 0, [0, 0, 1, 0])
        #expect(Self.found(octets, highest: 7) == rest.count)
    }

    @Test func `a stream that nobody can have opened refutes a boundary`() {
        let octets = TestFrame.frame(0, 0, 0x7777_7777, [1, 2]) + TestFrame.frame(0, 0, 0x7777_7777, [1, 2])
        #expect(Self.found(octets, highest: 7) == nil)
        #expect(Self.found(TestFrame.frame(1, 4, 8, [0x82]), highest: 7) == nil)
    }

    @Test func `random octets hold no boundary`() {
        var random = SeededGenerator(seed: 11)
        var found = 0
        for _ in 0..<200 {
            let octets = (0..<1400).map { _ in UInt8.random(in: 0...255, using: &random) }
            if Self.found(octets, highest: 99, startsSegment: true) != nil { found += 1 }
        }
        #expect(found == 0)
    }
}
