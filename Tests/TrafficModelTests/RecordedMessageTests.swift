// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@Suite struct RecordedMessageTests {
    private let message = RecordedMessage(
        fields: [
            RecordedField(name: "Host", value: "shop.example.com"), RecordedField(name: "Set-Cookie", value: "a=1"),
            RecordedField(name: "SET-COOKIE", value: "b=2"), RecordedField(name: "X", value: [0xFF]),
        ],
        content: [1, 2, 3],
        contentOctets: 5
    )

    @Test func `fields are found whatever their case, in wire order`() {
        #expect(message.values(of: "set-cookie") == [Array("a=1".utf8), Array("b=2".utf8)])
        #expect(message.firstText(of: "set-cookie") == "a=1")
        #expect(message.firstText(of: "absent") == nil)
    }

    @Test func `a value that is no UTF-8 is text with the replacement character, and its octets stay`() {
        #expect(message.firstText(of: "x") == "\u{FFFD}")
        #expect(message.values(of: "x") == [[0xFF]])
    }

    @Test func `content is whole where all of its octets are there`() {
        #expect(!message.contentIsWhole)
        #expect(RecordedMessage(fields: [], content: [1, 2]).contentIsWhole)
        #expect(RecordedMessage(fields: []).contentIsWhole)
    }

    @Test func `the first Host field is the authority`() {
        var twice = message
        twice.fields.append(RecordedField(name: "host", value: "other.example.com"))
        #expect(RecordedRequest(method: "GET", target: [], message: twice).authority == "shop.example.com")
        #expect(RecordedRequest(method: "GET", target: [], message: RecordedMessage(fields: [])).authority == nil)
    }

    @Test func `more text takes more memory`() {
        let small = RecordedExchange(
            request: RecordedRequest(method: "GET", target: Array("/".utf8), message: message),
            startTime: 0
        )
        var large = small
        large.request.message.content += [UInt8](repeating: 0, count: 100)
        large.response = RecordedResponse(status: 200, message: message)
        #expect(large.octetsInMemory == small.octetsInMemory + 100 + message.octetsInMemory)
    }
}

@Suite struct RecordedRequestViewTests {
    @Test func `a view has the parts of the request, as the packet path would have seen them`() {
        let request = RecordedRequest(
            method: "PUT",
            target: Array("/a?b=c".utf8),
            message: RecordedMessage(
                fields: [
                    RecordedField(name: "Accept", value: ""), RecordedField(name: "HOST", value: "first"),
                    RecordedField(name: "Host", value: "second"),
                ]
            )
        )
        let parts = request.withView { view in
            func text(_ range: Range<Int>) -> String {
                String(decoding: range.map { view.octets[$0] }, as: UTF8.self)
            }
            var fields: [String] = []
            for index in view.fields.indices {
                fields.append(text(view.fields[index].name) + "=" + text(view.fields[index].value))
            }
            return [text(view.method), text(view.target), view.authority.map(text) ?? "none"] + fields
        }
        #expect(parts == ["PUT", "/a?b=c", "first", "Accept=", "HOST=first", "Host=second"])
    }

    @Test func `a request without Host has no authority`() {
        let request = RecordedRequest(method: "GET", target: [], message: RecordedMessage(fields: []))
        let hasAuthority = request.withView { $0.authority != nil }
        #expect(!hasAuthority)
    }
}

@Suite struct FieldLineTests {
    @Test(arguments: [0..<0, 0..<1, 7..<7, 100..<65_536, 0..<4_294_967_295, 4_294_967_295..<4_294_967_295])
    func `a range comes back as it was given`(range: Range<Int>) {
        #expect(OctetRange(range).range == range)
        let line = FieldLine(name: range, value: 3..<9)
        #expect(line.name == range)
        #expect(line.value == 3..<9)
    }

    @Test func `a field line takes sixteen octets`() {
        #expect(MemoryLayout<FieldLine>.size == 16)
    }
}
