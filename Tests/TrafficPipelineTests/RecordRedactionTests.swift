// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import OctetText
import PacketDecoding
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// What records show of requests that carry credentials.
@Suite struct RecordRedactionTests {
    private static func record(_ options: RecordOptions) throws -> JSONValue {
        let form = "user=anna&password=planted"
        let request =
            "POST /a?access_token=planted&b=c HTTP/1.1\r\nHost: u:planted@shop\r\nReferer: https://h/?sid=planted\r\n"
            + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)\r\n\r\n\(form)"
        let response = "HTTP/1.1 302 Found\r\nLocation: /b?token=planted\r\nContent-Length: 0\r\n\r\n"
        let client = Endpoint(address: try #require(IPAddress("192.0.2.1")), port: 50_000)
        let server = Endpoint(address: try #require(IPAddress("192.0.2.2")), port: 8080)
        let records = TrafficPipeline.records(
            of: Conversation.frames(from: client, to: server, request, response),
            options
        )
        return try JSONDocument.parse(Array(try #require(records.first).utf8))
    }

    @Test func `values of parameters that carry credentials are in no part of a record that is to hide them`() throws {
        let options = RecordOptions(includesFields: true, contentOctets: 1_000, replacesParameters: true)
        let record = try Self.record(options)
        let request = try #require(record["request"])
        #expect(request["target"] == "/a?access_token=[redacted]&b=c")
        #expect(request["authority"] == "[redacted]@shop")
        let text = String(decoding: record.encoded(), as: UTF8.self)
        #expect(!text.contains("planted"))
        #expect(text.contains("https://h/?sid=[redacted]") && text.contains("/b?token=[redacted]"))
        #expect(request["contentBytes"] == .integer(26) && request["contentTruncated"] == false)
        let shown = "user=anna&password=[redact"
        #expect(
            request["content"]?.stringValue == String(decoding: Base64Text.encoded(Array(shown.utf8)), as: UTF8.self)
        )
    }

    @Test func `they are written as sent where nothing else is asked for`() throws {
        let options = RecordOptions(includesFields: true, contentOctets: 1_000)
        let record = try Self.record(options)
        #expect(record["request"]?["target"] == "/a?access_token=planted&b=c")
        #expect(String(decoding: record.encoded(), as: UTF8.self).contains("https://h/?sid=planted"))
    }
}
