// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import Testing
import TrafficMetrics
import TrafficPipeline

/// Records of calls of gRPC-Web without headers and content, as `read --output ndjson` writes them.
@Suite struct GRPCWebRecordTests {
    private struct Call: Decodable {
        let protocolName: String
        let grpcStatus: Int?

        enum CodingKeys: String, CodingKey {
            case protocolName = "protocol"
            case grpcStatus
        }
    }

    private static let type = "application/grpc-web+proto"

    private static func record(_ request: [UInt8], _ response: [UInt8]) throws -> Call {
        let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 40_000)
        let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 8080)
        let records = TrafficPipeline.records(of: Conversation.frames(from: client, to: server, request, response))
        #expect(records.count == 1)
        return try JSONDecoder().decode(Call.self, from: Data(try #require(records.first).utf8))
    }

    @Test func `the status of an answer of gRPC-Web that is a head alone is in the record, over HTTP 1`() throws {
        let request = "POST /a.B/C HTTP/1.1\r\nHost: h\r\nContent-Type: \(Self.type)\r\nContent-Length: 0\r\n\r\n"
        let response = "HTTP/1.1 200 OK\r\nContent-Type: \(Self.type)\r\ngrpc-status: 7\r\nContent-Length: 0\r\n\r\n"
        let call = try Self.record(Array(request.utf8), Array(response.utf8))
        #expect(call.grpcStatus == 7)
        #expect(call.protocolName == "HTTP/1.1")
    }

    @Test func `the status of an answer of gRPC-Web that is a head alone is in the record, over HTTP 2`() throws {
        func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
        func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
            [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
        }
        // content-type is the static entry 31, :path 4 and :authority 1; what 0x83, 0x86 and 0x88 name is POST, http and 200.
        let contentType = [0x0F, 0x10] + string(Self.type)
        let request = [0x83, 0x86, 0x44] + string("/a.B/C") + [0x41] + string("h") + contentType
        let response = [0x88] + contentType + [0x00] + string("grpc-status") + string("7")
        let call = try Self.record(
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, []) + frame(1, 5, 1, request),
            frame(4, 0, 0, []) + frame(1, 5, 1, response)
        )
        #expect(call.grpcStatus == 7)
        #expect(call.protocolName == "HTTP/2")
    }
}
