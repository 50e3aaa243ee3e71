// Wingmirror · Apache-2.0

import AgentConfiguration
import RouteAttribution
import Testing

@testable import Agent
@testable import TrafficPipeline

/// What an operator is told where no request comes to a port of the gateway.
@Suite struct UnservedTrafficTests {
    private static func sentence(
        _ ports: [(UInt16, Int)],
        arrived: UInt64 = 0,
        gateway: [GatewayPort]? = nil,
        servers: [Int] = [80],
        pods: [UInt16] = []
    ) -> String? {
        var figures = PipelineFigures()
        figures.unservedPorts = ports.map { port, requests in
            var unserved = UnservedPort(port)
            unserved.requests = requests
            return unserved
        }
        var configuration = Configuration().gateway
        if let gateway { configuration.ports = gateway }
        return UnservedTraffic(figures, arrived: arrived, gateway: configuration, servers: servers, pods: pods)
            .sentence
    }

    @Test func `the port that all requests came to is named with what to write`() {
        #expect(
            Self.sentence([(18080, 7), (9000, 1)])
                == "no request came to a port of the gateway (80, 8080): 7 requests came to port 18080; if that is the "
                + "gateway's, write --gateway-port 18080:80 (gateway.ports: {pod: 18080, server: 80})"
        )
    }

    @Test func `the gateway's ports are those of its Services too`() {
        let sentence = Self.sentence([(18080, 7)], pods: [8080, 15000])
        #expect(sentence?.hasPrefix("no request came to a port of the gateway (8080, 15000): ") == true)
    }

    @Test func `of several servers none is guessed`() {
        let sentence = Self.sentence([(18080, 1)], servers: [80, 443])
        #expect(sentence?.contains("1 request came to port 18080") == true)
        #expect(sentence?.hasSuffix("18080:SERVER (gateway.ports: {pod: 18080, server: SERVER})") == true)
    }

    @Test func `a port of the gateway without a server is called that`() {
        let sentence = Self.sentence([(8080, 7)], gateway: [GatewayPort(pod: 8080, server: 80)], servers: [443])
        #expect(
            sentence
                == "no request came to a port on which a Gateway listens: 7 requests came to port 8080, which stands for "
                + "port 80 of a Gateway's server, and no server has that (there is 443)"
        )
    }

    @Test func `nothing is said where requests arrive, none come, or there are no servers`() {
        #expect(Self.sentence([(18080, 7)], arrived: 1) == nil)
        #expect(Self.sentence([]) == nil)
        #expect(Self.sentence([(18080, 7)], servers: []) == nil)
    }

    /// The section `gateway`, and how what is said of the ports begins where the gateway's pods are found on Kubernetes.
    @Test(arguments: [
        ("", nil), ("gateway: {ports: [{pod: 8080, server: 80}]}", "no request came to a port of the gateway (8080)"),
        ("gateway: {ports: [{pod: 8080}]}", "no Gateway server has port 8080 (there is 80)"),
    ])
    func `where pods are found, only ports that were named are judged`(section: String, beginning: String?) throws {
        let configuration = try Configuration.parse(
            "routes: {kubernetes: {enabled: true, node: node-1}}\n\(section)",
            file: "w.yaml"
        )
        var figures = PipelineFigures()
        var unserved = UnservedPort(18080)
        unserved.requests = 7
        figures.unservedPorts = [unserved]
        let notices = GatewayPortNotices(configuration, figures, arrived: 0, servers: [80], pods: [8080])
        #expect(notices.sentences.isEmpty == (beginning == nil))
        if let beginning { #expect(notices.sentences.first?.hasPrefix(beginning) == true) }
    }
}
