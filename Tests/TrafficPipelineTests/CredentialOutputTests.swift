// Wingmirror · Apache-2.0

import PacketDecoding
import Recordings
import Redaction
import ShadowTesting
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel

@testable import TrafficPipeline

/// One list of requests that carry credentials, through everything that leaves the agent: what one output hides, all do.
@Suite struct CredentialOutputTests {
    /// What stands for the credential.
    private static let secret = "planted5ecret"

    /// Names as clients write them: capitals divide their parts.
    private static let names = [
        "AppSid", "UserPin", "X-UserPin", "MfaCode", "UserAuth", "X-DeviceKey", "deviceKey", "ClientHmac", "ApiSig",
        "mySession", "X-UserPIN", "x-user-pin-bin", "session-bin", "Authorization", "X-Api-Key", "user_pwd",
    ]

    /// Fields that hold a link or a host with a credential in it.
    private static let links = [
        ("Referer", "https://h/?token=%"), ("Referer", "wss://user:%@h/"), ("Referer", "postgres://user:%@h/x"),
        ("Origin", "https://u:%@h"), ("HX-Current-URL", "https://h/?token=%"), ("Next-Url", "/a?token=%"),
        ("X-Url", "https://h/?token=%"), ("X-Request-Url", "https://h/?token=%"), ("X-Forwarded-Prefix", "/a?token=%"),
        ("X-Original-Forwarded-Uri", "/a?token=%"), ("X-Whatever", "https://h/?token=%"), ("X-Forwarded-Host", "u:%@h"),
        ("Link", "<https://h/?token=%>; rel=x"), ("Soapaction", #""http://h/?token=%""#),
    ]

    private static let parameters = [
        "token=%", "ToKeN=%", "%2574oken=%", "userPin=%", "user[pwd]=%",
        "u=postgres%3A%2F%2Fuser%3A%%40h", "u=wss%3A%2F%2Fuser%3A%%40h%2Fx", "u=ws%3A%2F%2Fuser%3A%%40h",
        "u=ftp%3A%2F%2Fuser%3A%%40h", "u=redis%3A%2F%2Fuser%3A%%40h", "u=amqp%3A%2F%2Fuser%3A%%40h",
        "u=mongodb%2Bsrv%3A%2F%2Fuser%3A%%40h", "u=git%2Bssh%3A%2F%2Fuser%3A%%40h",
        "next=https%253A%252F%252Fh%252F%253Ftoken%253D%", "next=https%3A%2F%2Fh%2F%3Ftoken%3D%",
    ]

    private struct Sent: CustomStringConvertible {
        let description: String
        let request: RecordedRequest

        init(_ target: String = "/a", _ lines: [(String, String)] = [], content: String = "", method: String = "GET") {
            description = "\(method) \(target) \(lines)"
            let length = content.isEmpty ? [] : [("Content-Length", "\(content.utf8.count)")]
            let fields = ([("Host", "shop")] + lines + length).map { RecordedField(name: $0.0, value: $0.1) }
            request = RecordedRequest(
                method: method,
                target: Array(target.utf8),
                message: RecordedMessage(fields: fields, content: Array(content.utf8))
            )
        }

        /// The request as it is on the wire.
        var octets: [UInt8] {
            var octets = Array(request.method.utf8) + [0x20] + request.target + Array(" HTTP/1.1\r\n".utf8)
            for field in request.message.fields {
                octets += Array(field.name.utf8) + Array(": ".utf8) + field.value + [0x0D, 0x0A]
            }
            return octets + [0x0D, 0x0A] + request.message.content
        }
    }

    private static var requests: [Sent] {
        func planted(_ text: String) -> String {
            text.replacing("=%", with: "=\(secret)").replacing(":%", with: ":\(secret)")
        }
        func coded(_ text: String) -> String {
            planted(text).replacing("%3A%%", with: "%3A\(secret)%").replacing("%3D%", with: "%3D\(secret)")
                .replacing("%253D%", with: "%253D\(secret)")
        }
        let form = "application/x-www-form-urlencoded"
        func part(_ parameters: String, _ value: String) -> String {
            "--b\r\nContent-Disposition: form-data; \(parameters)\r\n\r\n\(value)\r\n--b--\r\n"
        }
        let parts = [
            part(#"filename="a;name=x"; name="password""#, secret), part(#"name="next""#, "https://h/?token=\(secret)"),
        ]
        return names.map { Sent("/a", [($0, secret)]) } + links.map { Sent("/a", [($0.0, planted($0.1))]) }
            + parameters.map { Sent("/a?b=1&\(coded($0))") }
            + parameters.map { Sent("/a", [("Content-Type", form)], content: "b=1&\(coded($0))", method: "POST") }
            + parts.map {
                Sent("/a", [("Content-Type", "multipart/form-data; boundary=b")], content: $0, method: "POST")
            }
    }

    @Test func `no credential is in a record, on the page or in a recording`() throws {
        #expect(Self.requests.allSatisfy { Self.holdsSecret($0.octets) })
        for sent in Self.requests { try Self.expectHidden(sent) }
    }

    @Test func `no credential of a CONNECT request is in a record, on the page or in a recording`() throws {
        try Self.expectHidden(Sent("u:\(Self.secret)@h:443", method: "CONNECT"))
    }

    private static func expectHidden(_ sent: Sent) throws {
        let (record, page) = try outputs(of: sent)
        #expect(!record.isEmpty && !holdsSecret(record), "record of \(sent)")
        #expect(!page.isEmpty && !page.contains(secret), "page of \(sent)")
        #expect(!holdsSecret(gor(sent)), "gor of \(sent)")
        #expect(!holdsSecret(har(sent)), "har of \(sent)")
    }

    private static let target = MirrorTarget(name: "staging", host: "staging.internal", port: 8080)

    private static func builder(_ policy: MirrorPolicy) -> ShadowRequestBuilder {
        ShadowRequestBuilder(policy: policy, target: target, node: "node", key: RedactionKey(high: 1, low: 2))
    }

    @Test func `no credential is in a copy, nor in the line that repeats it`() throws {
        var policy = MirrorPolicy(name: "all", targets: ["staging"])
        policy.percent = 100
        policy.methods = ["GET", "POST"]
        let builder = Self.builder(policy)
        for sent in Self.requests {
            let copy = try builder.build(RecordedExchange(request: sent.request, startTime: 1))
            let fields = copy.fields.map { "\($0.name): \($0.value)\n" }.joined()
            let text = copy.target + fields + String(decoding: copy.content, as: UTF8.self)
            #expect(!text.contains(Self.secret), "copy of \(sent)")
            #expect(copy.redactions > 0)
            #expect(!CurlLine.text(for: copy, to: Self.target).contains(Self.secret))
        }
    }

    @Test func `a policy that lets a credential through puts it in no line`() throws {
        var policy = MirrorPolicy(name: "all", targets: ["staging"])
        policy.percent = 100
        policy.keptFields = Self.names.map { $0.lowercased() }
        let builder = Self.builder(policy)
        for name in Self.names {
            let copy = try builder.build(
                RecordedExchange(request: Sent("/a", [(name, Self.secret)]).request, startTime: 1)
            )
            #expect(copy.fields.contains { $0.value == Self.secret })
            #expect(!CurlLine.text(for: copy, to: Self.target).contains(Self.secret), "\(name)")
        }
    }

    // MARK: - Outputs

    private static func holdsSecret(_ octets: [UInt8]) -> Bool {
        String(decoding: octets, as: UTF8.self).contains(secret)
    }

    private static func outputs(of sent: Sent) throws -> (record: [UInt8], page: String) {
        let recent = RecentBoard(limits: RecentLimits())
        let client = Endpoint(address: try #require(IPAddress("192.0.2.1")), port: 50_000)
        let server = Endpoint(address: try #require(IPAddress("192.0.2.2")), port: 8080)
        let response = Array("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".utf8)
        let records = TrafficPipeline.records(
            of: Conversation.frames(from: client, to: server, sent.octets, response),
            RecordOptions(includesFields: true, contentOctets: nil, replacesParameters: true),
            recent: recent
        )
        let kept = recent.routed + recent.unmatched + recent.failed + recent.refused
        let page = kept.compactMap(\.request).map { request in
            "\(request.target) \(request.authority ?? "") "
                + request.fields.map { "\($0.name): \($0.value ?? "")" }.joined(separator: "\n")
        }
        return (records.first.map { Array($0.utf8) } ?? [], page.joined())
    }

    private static var redaction: RecordingRedaction { RecordingRedaction(fields: RecordOptions.credentials) }

    private static func exchange(_ sent: Sent) -> RecordedExchange {
        RecordedExchange(
            request: sent.request,
            response: RecordedResponse(status: 200, message: RecordedMessage(fields: [])),
            startTime: 1
        )
    }

    private static func gor(_ sent: Sent) -> [UInt8] {
        var writer = GorWriter(key: RecordingKey(secret: "k"), redaction: redaction)
        writer.append(exchange(sent))
        return writer.finish()
    }

    private static func har(_ sent: Sent) -> [UInt8] {
        var writer = HARWriter(creatorVersion: "0", key: RecordingKey(secret: "k"), redaction: redaction)
        writer.append(exchange(sent))
        return writer.takeOctets() + writer.finish()
    }
}
