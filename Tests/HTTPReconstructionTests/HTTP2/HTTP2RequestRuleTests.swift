// Wingmirror · Apache-2.0
// What makes a request of HTTP/2 no request: RFC 9113 §8.1 to §8.5. Each kind was asked of Envoy 1.40, which ends the stream or
// the connection of a refused one before it looks for a route; extended CONNECT it takes where `allow_connect` is set.

import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

@Suite struct HTTP2RequestRuleTests {
    typealias Fields = [(String, String)]

    private static let plain = HTTP2Script.head("/a")
    private static let connect: Fields = [(":method", "CONNECT"), (":authority", "shop.example.com:443")]

    private static func with(_ name: String, _ value: String) -> Fields { plain + [(name, value)] }
    private static func method(_ method: String) -> Fields { HTTP2Script.head("/a", method: method) }
    private static func scheme(_ scheme: String) -> Fields { without(":scheme") + [(":scheme", scheme)] }
    private static func extended(_ name: String) -> Fields {
        [(":method", "CONNECT"), (":protocol", name)] + without(":method")
    }
    private static func authority(_ authority: String) -> Fields { without(":authority") + [(":authority", authority)] }
    private static func path(_ path: String) -> Fields { without(":path") + [(":path", path)] }
    private static func without(_ names: String...) -> Fields { plain.filter { !names.contains($0.0) } }

    /// The traits and marks of a request that is the whole stream, or is followed by `content`.
    private static func read(_ fields: Fields, content: String? = nil, inserts: Bool = true) -> Record {
        var script = HTTP2Script()
        var octets = HTTP2Script.opening + script.request(1, fields, ends: content == nil, inserts: inserts)
        if let content { octets += HTTP2Script.data(1, content) }
        return Conversation(.client(octets)).readInEveryWay()
    }

    static let refused: [Fields] = [
        with("X-A", "1"), with("Content-Length", "0"), with("a b", "1"), with("a:b", "1"), with("", "1"),
        with("x-é", "1"),
        with("a(b", "1"), with("a\u{7F}", "1"), [(":foo", "x")] + plain,
        with("connection", "close"), with("keep-alive", "x"), with("proxy-connection", "x"), with("upgrade", "x"),
        with("transfer-encoding", "chunked"), with("te", "gzip"), with("te", "trailers, deflate"),
        with("x-a", "a\0b"), with("x-a", "a\rb"), with("x-a", "a\nb"), with("x-a", "a\u{1}b"), with("x-a", "a\u{7F}"),
        with("user-agent", "a\nb"), with("x-a", String(repeating: "a", count: 40) + "\0"),
        [(":protocol", "websocket")] + plain, [(":status", "200")] + plain,
        method("CONNECT"), [(":method", "CONNECT")], connect + [(":scheme", "http")], method("G ET"), method(""),
        without(":method"), without(":path"), without(":scheme"), plain + [(":path", "/b")],
        without(":path") + [("x-a", "1"), (":path", "/a")],
        without(":authority") + [("host", "a"), ("host", "b")], with("host", "a") + [("host", "a")],
        with("content-length", "5"), with("content-length", "abc"), with("content-length", "+3"),
        with("content-length", "0") + [("content-length", "0")],
        scheme(""), scheme("ht tp"), scheme("1http"), scheme("h_p"), scheme(" http"), scheme("+a"), scheme("a/b"),
        with("host", "a b"), with("host", ""), with("host", "u@h"), with("host", "a/b"), with("host", "a<b"),
        with("te", "trailers;q=1"), with("te", "trailers "),
        extended(""), extended("a b"), extended("a/b"),
    ]
    static let taken: [Fields] = [
        plain, connect, with("te", "trailers"), with("x-a", " a\t"), with("x-a", "\u{80}"), with("x-a", ""),
        with("a!#$%&'*+.^_`|~", "1"),
        method("FOO"), method("get"), with("content-length", "0"),
        with("host", "other.example.com"), without(":authority") + [("host", "a")],
        extended("websocket"), extended("WebSocket"), with("te", "Trailers"), with("te", "TRAILERS"),
        scheme("HTTP"), scheme("ht+p"), scheme("ht-p"), scheme("h.p"), scheme("ftp"),
        with("host", "h:99x"), with("host", "a%"), with("host", "[::1]"), with("host", "a_b~'(*;=,"),
    ]

    /// Targets for which Envoy 1.40 closes the connection, and others that it takes; of each octet it was asked.
    static let refusedTargets: [Fields] = [
        without(":authority"), authority(""), authority("a b"), authority("u@h"), authority("a/b"), authority("h?x"),
        authority("h#x"), authority("h\\x"), authority("h\"t"), authority("h|t"), authority("h^t"),
        authority("h\u{E9}"),
        [(":method", "CONNECT"), (":authority", "u@h:80")],
        path(""), path("a"), path("*"), path("?a"), path("http://h/a"), path("/a b"), path("/a\tb"), path("/a "),
    ]
    static let takenTargets: [Fields] = [
        authority("h:99x"), authority("a_b~!$&'()*+,;=%41-."), authority("[::1]:80"), authority("H"),
        path("/"), path("/a?b=/c#d"), path("//"), path("/\u{E9}\"<>^`{|}\\"),
        [(":method", "OPTIONS"), (":path", "*")] + without(":method", ":path"),
    ]

    /// Who ended a request with these fields, one before it and one behind it, where the server closes and says nothing.
    private static func ends(around fields: Fields) -> [String] {
        var script = HTTP2Script()
        let octets =
            HTTP2Script.opening + script.request(1, plain) + script.request(3, fields) + script.request(5, plain)
        return Conversation(.client(octets), .server(HTTP2Script.serverOpening))
            .read(ending: [.serverFinishes, .clientFinishes, .closes(.finished)])
            .exchanges.map { $0.earlyEnd ?? "-" }
    }

    @Test(arguments: refusedTargets)
    func `a target for which Envoy closes the connection is the client's fault`(fields: Fields) {
        #expect(Self.ends(around: fields) == ["client", "client", "server, unprocessed"], "\(fields)")
    }

    @Test(arguments: takenTargets)
    func `a target that is only strange is no reason to close`(fields: Fields) {
        #expect(Self.ends(around: fields) == ["server", "server", "server"], "\(fields)")
    }

    @Test(arguments: refused)
    func `a request that Envoy refuses for a rule of HTTP 2 is malformed and gets no route`(fields: Fields) {
        let record = Self.read(fields)
        #expect(record.traits.first?.contains(.isRefusedForFraming) == true, "\(fields)")
        #expect(record.exchanges.first?.integrity.contains(.malformed) == true, "\(fields)")
    }

    @Test(arguments: taken)
    func `a request that is only strange is one`(fields: Fields) {
        let record = Self.read(fields)
        #expect(record.traits.first?.contains(.isRefusedForFraming) == false, "\(fields)")
        #expect(record.exchanges.first?.integrity.contains(.malformed) == false, "\(fields)")
    }

    @Test(arguments: [without(":path"), [(":method", "CONNECT")], without(":path", ":scheme")])
    func `a request without a target that was seen whole has none, and nothing of it is unknown`(fields: Fields) {
        #expect(Self.read(fields).traits == [.isRefusedForFraming])
    }

    @Test(arguments: [("3", false), ("3, 3", true), ("03", false)])
    func `a length that is no single number is refused`(length: String, isRefused: Bool) {
        let record = Self.read(HTTP2Script.head("/a", method: "POST") + [("content-length", length)], content: "abc")
        #expect(record.traits.first?.contains(.isRefusedForFraming) == isRefused)
    }

    @Test(arguments: [(96, 0, false), (97, 0, true), (90, 6, false), (90, 7, true)])
    func `a head of over a hundred field lines is refused, and every piece of a cookie is one`(
        lines: Int,
        cookies: Int,
        isRefused: Bool
    ) {
        // Envoy 1.40 counts the four pseudo-header fields too.
        let fields = Self.plain + (0..<lines).map { ("x-\($0)", "1") } + (0..<cookies).map { _ in ("cookie", "a=1") }
        #expect(Self.read(fields).traits.first?.contains(.isRefusedForFraming) == isRefused)
    }

    @Test func `a value that no field may have is known by its index too`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.with("x-a", "a\nb"))),
            .client(script.request(3, Self.with("x-a", "a\nb"))),
            .client(script.request(5, Self.plain)),
            .client(script.request(7, Self.with("x-a", "ab")))
        ).readInEveryWay()
        #expect(record.traits.map { $0.contains(.isRefusedForFraming) } == [true, true, false, false])
    }

    @Test(
        arguments: [
            [("X-Sum", "1")], [("connection", "close")], [("x-sum", "a\0")], [(":path", "/b")], [("te", "gzip")],
        ] as [Fields]
    )
    func `trailers that no message has make it malformed, and its route stays`(trailers: Fields) {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.method("POST"), ends: false)),
            .client(HTTP2Script.data(1, "abc", ends: false) + script.request(1, trailers))
        ).readInEveryWay()
        #expect(record.traits == [[]])
        #expect(record.exchanges.first?.integrity.contains(.malformed) == true)
    }

    @Test func `content behind the end of a message is not counted and makes it malformed`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.method("POST"), ends: false)),
            .client(HTTP2Script.data(1, "abc") + HTTP2Script.data(1, "defgh")),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true))
        ).readInEveryWay()
        #expect(record.exchanges.first?.request?.contentOctets == 3)
        #expect(record.exchanges.first?.integrity == [.malformed])
    }
}
