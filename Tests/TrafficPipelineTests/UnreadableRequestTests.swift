// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

/// Responses without a request, some of which answer requests that were captured and cannot be read.
@Suite struct UnreadableRequestTests {
    private static let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 40_000)
    private static let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 8080)
    private static let refusal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    /// What is counted of a request and its refusal, of which the capture may lack a packet.
    private static func counts(_ request: String, without missing: Int? = nil) -> (unpaired: UInt64, alone: UInt64) {
        let registry = MetricsRegistry()
        var pipeline = TrafficPipeline(withoutRoutes: registry)
        var frames = Conversation.frames(from: client, to: server, request, refusal)
        if let missing { frames.remove(at: missing) }
        pipeline.read(frames)
        return (registry.unpairedMessageCount(.response), registry.responsesAlone)
    }

    @Test(arguments: [" GET / HTTP/1.1\r\n\r\n", "\u{1}garbage\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"])
    func `the response to a request that cannot be read was not captured alone`(request: String) {
        let counts = Self.counts(request)
        #expect(counts.unpaired == 1)
        #expect(counts.alone == 0)
    }

    @Test func `one whose request is missing was`() {
        let counts = Self.counts("GET / HTTP/1.1\r\nHost: h\r\n\r\n", without: 2)
        #expect(counts.unpaired == 1)
        #expect(counts.alone == 1)
    }
}
