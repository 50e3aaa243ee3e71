// Wingmirror · Apache-2.0

import Testing
import TrafficModel

/// gRPC calls in recorded messages.
@Suite struct RecordedCallTests {
    private static func message(_ content: [UInt8], type: String = "application/grpc", octets: Int64? = nil)
        -> RecordedMessage
    {
        RecordedMessage(
            fields: [RecordedField(name: "Content-Type", value: type)],
            content: content,
            contentOctets: octets
        )
    }

    private static func response(_ content: [UInt8], status: String?, head: [(String, String)] = []) -> RecordedResponse
    {
        var message = message(content)
        message.fields += head.map { RecordedField(name: $0.0, value: $0.1) }
        message.trailers = status.map { [RecordedField(name: "grpc-status", value: $0)] } ?? []
        return RecordedResponse(status: 200, message: message)
    }

    @Test(arguments: [
        ("application/grpc", true), ("Application/gRPC+proto", true), ("application/grpc; x=1", true),
        ("application/grpc-web", false), ("application/grpcx", false), ("application/json", false), ("", false),
    ])
    func `a call is known by its media type, and gRPC-Web is none`(type: String, isCall: Bool) {
        #expect(Self.message([], type: type).isCall == isCall)
    }

    @Test(
        arguments: [
            ([], nil, false), ([0, 0, 0, 0, 0], nil, true), ([0, 0, 0, 0, 2, 7, 7], nil, true),
            ([0, 0, 0, 0, 2, 7], nil, false), ([0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 1, 7], nil, false),
            ([0, 0, 0], nil, false),
            // Kept in part: the prefix says how much there was.
            ([0, 0, 0, 1, 0, 7], 261, true), ([0, 0, 0, 1, 0, 7], 522, false), ([0, 0, 0], 261, nil),
        ] as [([UInt8], Int64?, Bool?)]
    )
    func `one message is one prefix and the octets it counts`(content: [UInt8], octets: Int64?, expected: Bool?) {
        #expect(Self.message(content, octets: octets).holdsOneMessage == expected)
    }

    @Test func `only unary calls with a final status can be held against others`() {
        let one: [UInt8] = [0, 0, 0, 0, 1, 7]
        func isIncomparable(_ request: [UInt8], _ response: RecordedResponse?) -> Bool {
            RecordedExchange(
                request: RecordedRequest(method: "POST", target: Array("/a.B/C".utf8), message: Self.message(request)),
                response: response,
                startTime: 0
            ).isIncomparableCall
        }
        #expect(!isIncomparable(one, Self.response(one, status: "0")))
        #expect(!isIncomparable(one, Self.response([], status: nil, head: [("grpc-status", "5")])))
        #expect(isIncomparable(one + one, Self.response(one, status: "0")))
        #expect(isIncomparable(one, Self.response(one + one, status: "0")))
        #expect(isIncomparable([], Self.response(one, status: "0")))
        #expect(isIncomparable(one, Self.response(one, status: nil)))
        #expect(isIncomparable(one, nil))
        let json = RecordedMessage(fields: [RecordedField(name: "content-type", value: "application/json")])
        let request = RecordedRequest(method: "GET", target: [0x2F], message: json)
        #expect(!RecordedExchange(request: request, startTime: 0).isIncomparableCall)
    }

    @Test func `the status in the trailers counts, and one that is no number is none`() {
        #expect(Self.response([], status: "14", head: [("grpc-status", "0")]).grpcStatus == 14)
        #expect(Self.response([], status: "x").grpcStatus == nil)
        #expect(Self.response([], status: "-1").grpcStatus == nil)
    }

    @Test func `a call fails by its status, without one, or by that of HTTP`() {
        let errors: Set = [13, 14]
        #expect(Self.response([], status: "14").isFailure(errors) && Self.response([], status: "14").isUnavailable)
        #expect(!Self.response([], status: "5").isFailure(errors) && Self.response([], status: "5").turnsAway)
        #expect(!Self.response([], status: "8").isFailure(errors) && Self.response([], status: "8").asksForLess)
        #expect(Self.response([], status: nil).isFailure(errors))
        let page = RecordedMessage(fields: [RecordedField(name: "grpc-status", value: "14")])
        #expect(!RecordedResponse(status: 200, message: page).isFailure(errors))
        #expect(RecordedResponse(status: 503, message: page).isFailure([]))
    }
}
