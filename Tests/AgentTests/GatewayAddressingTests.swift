// Wingmirror · Apache-2.0

import JSONSyntax
import PacketDecoding
import RouteAttribution
import Testing
import TrafficMetrics

@testable import Agent
@testable import TrafficPipeline

/// What an operator is told of addresses that answer on the gateway's ports, where none was named.
@Suite struct GatewayAddressingTests {
    private static func addressing(_ servers: (String, requests: Int, sentOn: Int)...) throws -> GatewayAddressing {
        var figures = PipelineFigures()
        figures.gatewayServers = try servers.map { address, requests, sentOn in
            var server = GatewayServer(Endpoint(address: try #require(IPAddress(address)), port: 8080))
            server.requests = requests
            server.sentOn = sentOn
            return server
        }
        return GatewayAddressing(figures)
    }

    @Test func `one address that sends nothing on needs no word`() throws {
        let addressing = try Self.addressing(("10.1.0.7", requests: 100, sentOn: 0))
        #expect(addressing.sentences == [])
        #expect((addressing.addressCount, addressing.sentOn) == (1, 0))
    }

    @Test func `one address of each family may be one pod`() throws {
        let addressing = try Self.addressing(
            ("10.1.0.7", requests: 100, sentOn: 0),
            ("fd00::7", requests: 3, sentOn: 0)
        )
        #expect(addressing.sentences == [])
    }

    @Test func `an address that passes requests on is the gateway, and the setting to write names it alone`() throws {
        let addressing = try Self.addressing(
            ("10.1.0.7", requests: 100, sentOn: 98),
            ("10.1.0.9", requests: 0, sentOn: 0)
        )
        let finding = try #require(addressing.findings.first)
        #expect(addressing.findings.count == 1)
        #expect(finding.code == .gatewaySendsOn && finding.severity == .warning)
        #expect(finding.message.contains("10.1.0.7 (port 8080) answers on a gateway port and is a client"))
        #expect(finding.message.contains("the 98 requests that it sent on are not counted"))
        #expect(finding.message.hasSuffix("write gateway: {addresses: [10.1.0.7]}"))
        #expect(addressing.sentOn == 98)
    }

    @Test func `several addresses of a family all count, and are named with what they got`() throws {
        let addressing = try Self.addressing(
            ("10.1.0.7", requests: 508, sentOn: 0),
            ("10.1.0.9", requests: 490, sentOn: 0),
            ("10.1.0.10", requests: 0, sentOn: 0)
        )
        #expect(addressing.findings.map(\.code) == [.severalGateways])
        #expect(addressing.addressCount == 2)
        let sentence = try #require(addressing.sentences.first)
        #expect(sentence.hasPrefix("2 addresses answer on gateway ports, and all count as the gateway: "))
        #expect(sentence.contains("10.1.0.7:8080 (508 requests), 10.1.0.9:8080 (490 requests)."))
    }

    @Test func `where a proxy is among several, the setting to write is the proxy's address`() throws {
        let addressing = try Self.addressing(
            ("fd00::9", requests: 5, sentOn: 0),
            ("fd00::7", requests: 3, sentOn: 3)
        )
        #expect(addressing.findings.map(\.code) == [.gatewaySendsOn, .severalGateways])
        #expect(addressing.sentences.allSatisfy { $0.hasSuffix("write gateway: {addresses: [\"fd00::7\"]}") })
    }

    @Test func `a long list is cut, and says how many more there are`() throws {
        var figures = PipelineFigures()
        figures.gatewayServers = try (1...8).map { number in
            var server = GatewayServer(Endpoint(address: try #require(IPAddress("10.0.0.\(number)")), port: 80))
            server.requests = 10 - number
            return server
        }
        let sentence = try #require(GatewayAddressing(figures).sentences.first)
        #expect(sentence.contains("10.0.0.5:80 (5 requests) and 3 more."))
        #expect(!sentence.contains("10.0.0.6"))
    }

    @Test func `what is found is counted as the findings of the objects are`() throws {
        var server = GatewayServer(Endpoint(address: try #require(IPAddress("10.1.0.7")), port: 8080))
        server.requests = 4
        server.sentOn = 3
        var second = GatewayServer(Endpoint(address: try #require(IPAddress("10.1.0.9")), port: 8080))
        second.requests = 2
        var elsewhere = GatewayServer(Endpoint(address: try #require(IPAddress("10.2.0.7")), port: 8080))
        elsewhere.passedBy = 5
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        var figures = PipelineFigures()
        figures.gatewayServers = [server, second, elsewhere]
        boards.sole.publishLast(figures)
        registry.add(GatewayCollector(boards: boards))
        var found: [String] = []
        for family in registry.snapshot(at: 0).families
        where family.family.name == MetricCatalogue.routeTableFindings.name {
            for series in family.series {
                let values = (series.shared.labels + series.own.labels).map { $0.value }
                found.append(values.sorted().joined(separator: " "))
                guard case .number(let count) = series.value else { continue }
                #expect(count == 1)
            }
        }
        #expect(found.sorted() == ["gateway-sends-on warning", "note passes-by", "several-gateways warning"])
    }

    @Test func `the status names every server with what it got and what it sent on`() throws {
        let addressing = try Self.addressing(("10.1.0.7", requests: 7, sentOn: 6))
        #expect(
            addressing.document == [["address": "10.1.0.7", "port": 8080, "requests": 7, "sentOn": 6, "passedBy": 0]]
        )
    }
}
