// Wingmirror · Apache-2.0
// W3C Trace Context §3.2; B3 propagation.

import Testing
import TrafficModel

@Suite struct TraceContextTests {
    static let trace = "0af7651916cd43dd8448eb211c80319c"
    static let span = "b7ad6b7169203331"

    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let value: String
        /// Whether the trace is sampled; `nil` where the value is refused.
        let isSampled: Bool?

        init(_ label: String, _ value: String, _ isSampled: Bool?) {
            self.label = label
            self.value = value
            self.isSampled = isSampled
        }

        var testDescription: String { label }
    }

    @Test(arguments: [
        Row("sampled", "00-\(trace)-\(span)-01", true),
        Row("not sampled", "00-\(trace)-\(span)-00", false),
        Row("other flags", "00-\(trace)-\(span)-fe", false),
        Row("all flags", "00-\(trace)-\(span)-ff", true),
        Row("a later version", "cc-\(trace)-\(span)-01", true),
        Row("a later version with more", "cc-\(trace)-\(span)-01-what-the-future-will-be-like", true),
        Row("a later version with more but no hyphen", "cc-\(trace)-\(span)-01.what", nil),
        Row("version 00 with more, §3.2.2", "00-\(trace)-\(span)-01-what", nil),
        Row("version 00 with a hyphen behind", "00-\(trace)-\(span)-01-", nil),
        Row("version ff, §3.2.2", "ff-\(trace)-\(span)-01", nil),
        Row("no digits of a version", "xx-\(trace)-\(span)-01", nil),
        Row("a trace id of zeros, §3.2.2.3", "00-\(String(repeating: "0", count: 32))-\(span)-01", nil),
        Row("a parent id of zeros, §3.2.2.4", "00-\(trace)-0000000000000000-01", nil),
        Row("upper case", "00-\(trace.uppercased())-\(span)-01", nil),
        Row("upper case in the parent id", "00-\(trace)-\(span.uppercased())-01", nil),
        Row("upper case in the flags", "00-\(trace)-\(span)-0A", nil),
        Row("no flags", "00-\(trace)-\(span)", nil),
        Row("half a flag", "00-\(trace)-\(span)-0", nil),
        Row("a short trace id", "00-\(trace.dropLast())-\(span)-001", nil),
        Row("another separator", "00_\(trace)_\(span)_01", nil),
        Row("no hexadecimal digit", "00-\(trace.dropLast())g-\(span)-01", nil),
        Row("two values joined", "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01", nil),
        Row("white space in front", " 00-\(trace)-\(span)-01", nil),
        Row("nothing", "", nil),
    ])
    func `traceparent is read to the letter or not at all`(_ row: Row) {
        let octets = Array(row.value.utf8)
        let context = TraceContext(traceparent: octets.span)
        #expect(context?.isSampled == row.isSampled)
        if let context {
            #expect(context.traceID == Self.trace)
            #expect(context.spanID == Self.span)
        }
    }

    @Test(arguments: [
        Row("sampled", "\(trace)-\(span)-1", true),
        Row("not sampled", "\(trace)-\(span)-0", false),
        Row("debugged, hence sampled", "\(trace)-\(span)-d", true),
        Row("decision left to the receiver", "\(trace)-\(span)", false),
        Row("with a parent", "\(trace)-\(span)-1-05e3ac9a4f6e3b90", true),
        Row("with a bad parent", "\(trace)-\(span)-1-05e3ac9a4f6e3b9x", nil),
        Row("with a short parent", "\(trace)-\(span)-1-05e3", nil),
        Row("with a parent and no decision", "\(trace)-\(span)-05e3ac9a4f6e3b90", nil),
        Row("an unknown decision", "\(trace)-\(span)-2", nil),
        Row("a hyphen behind", "\(trace)-\(span)-", nil),
        Row("a decision alone", "0", nil),
        Row("upper case", "\(trace.uppercased())-\(span)-1", nil),
        Row("a trace id of 31 digits", "\(trace.dropLast())-\(span)-1", nil),
        Row("a span of zeros", "\(trace)-0000000000000000-1", nil),
        Row("a trace of zeros", "\(String(repeating: "0", count: 32))-\(span)-1", nil),
        Row("nothing", "", nil),
    ])
    func `b3 is read to the letter or not at all`(_ row: Row) {
        let octets = Array(row.value.utf8)
        let context = TraceContext(b3: octets.span)
        #expect(context?.isSampled == row.isSampled)
        if let context {
            #expect(context.traceID == Self.trace)
            #expect(context.spanID == Self.span)
        }
    }

    @Test func `a short trace id of b3 is filled up with zeros`() throws {
        let octets = Array("8448eb211c80319c-\(Self.span)-1".utf8)
        let read = TraceContext(b3: octets.span)
        let context = try #require(read)
        #expect(context.traceID == "00000000000000008448eb211c80319c")
        #expect(context.traceHigh == 0)
    }

    @Test(arguments: 0..<16)
    func `at each place a digit is a lower-case hexadecimal digit and nothing else`(place: Int) {
        for octet in UInt8.min...UInt8.max {
            var value = Array("00-\(Self.trace)-\(Self.span)-01".utf8)
            value[36 + place] = octet
            let digit = Character(Unicode.Scalar(octet))
            let isDigit = octet < 0x80 && digit.isHexDigit && !digit.isUppercase
            let span = TraceContext(traceparent: value.span)?.span
            let expected = isDigit ? UInt64(String(decoding: value[36..<52], as: UTF8.self), radix: 16) : nil
            #expect(span == expected, "octet \(octet)")
        }
    }

    @Test func `every prefix of a value is refused`() {
        let whole = Array("00-\(Self.trace)-\(Self.span)-01".utf8)
        for count in 0..<whole.count {
            let context = TraceContext(traceparent: whole.span.extracting(0..<count))
            #expect(context == nil)
        }
    }

    // MARK: - Heads

    @Test(
        arguments: [
            ([("traceparent", "00-\(trace)-\(span)-01")], true),
            ([("TraceParent", "00-\(trace)-\(span)-01")], true),
            ([("traceparent", "00-\(trace)-\(span)-00"), ("b3", "1234567890abcdef-\(span)-1")], false),
            ([("traceparent", "00-\(trace)-\(span)-01"), ("traceparent", "00-\(trace)-\(span)-01")], nil),
            ([("traceparent", "rubbish"), ("b3", "\(trace)-\(span)-1")], true),
            ([("X-B3-TraceId", trace), ("X-B3-SpanId", span), ("X-B3-Sampled", "1")], true),
            ([("x-b3-traceid", trace), ("x-b3-spanid", span), ("x-b3-sampled", "true")], true),
            ([("X-B3-TraceId", trace), ("X-B3-SpanId", span), ("X-B3-Sampled", "0")], false),
            ([("X-B3-TraceId", trace), ("X-B3-SpanId", span), ("X-B3-Flags", "1")], true),
            ([("X-B3-TraceId", trace), ("X-B3-SpanId", span)], false),
            ([("X-B3-TraceId", trace), ("X-B3-TraceId", trace), ("X-B3-SpanId", span)], nil),
            ([("X-B3-TraceId", trace)], nil),
            ([("traceparenu", "00-\(trace)-\(span)-01"), ("b4", "\(trace)-\(span)-1")], nil),
            ([], nil),
        ] as [([(String, String)], Bool?)]
    )
    func `a head says which trace it belongs to`(_ fields: [(String, String)], _ isSampled: Bool?) {
        #expect(Self.context(of: fields, allowsB3: true)?.isSampled == isSampled)
        #expect(Self.context(of: fields, allowsB3: true).map { $0.traceID == Self.trace } != false)
    }

    @Test func `the fields of B3 are not read unless they are asked for`() {
        #expect(Self.context(of: [("b3", "\(Self.trace)-\(Self.span)-1")], allowsB3: false) == nil)
        let several = [("X-B3-TraceId", Self.trace), ("X-B3-SpanId", Self.span), ("X-B3-Sampled", "1")]
        #expect(Self.context(of: several, allowsB3: false) == nil)
    }

    /// The context of a request with these fields.
    private static func context(of fields: [(String, String)], allowsB3: Bool) -> TraceContext? {
        var octets = Array("GET / HTTP/1.1\r\n".utf8)
        var lines: [FieldLine] = []
        for (name, value) in fields {
            let start = octets.count
            octets += Array("\(name): \(value)\r\n".utf8)
            let valueStart = start + name.utf8.count + 2
            lines.append(FieldLine(name: start..<start + name.utf8.count, value: valueStart..<octets.count - 2))
        }
        let view = RequestView(
            octets: octets.span,
            method: 0..<3,
            target: 4..<5,
            authority: nil,
            version: .http11,
            fields: lines.span
        )
        return TraceContext(of: view, allowsB3: allowsB3)
    }
}
