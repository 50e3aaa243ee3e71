// Wingmirror · Apache-2.0

import AdminServer
import Foundation
import JSONSyntax
import RouteAttribution
import Testing
import TrafficMetrics

@testable import Agent
@testable import AgentConfiguration

@Suite struct WebDocumentTests {
    private let catalogue: RouteCatalogue

    init() throws {
        catalogue = try Self.catalogue(namesServerPorts: true)
    }

    private static func catalogue(namesServerPorts: Bool) throws -> RouteCatalogue {
        var configuration = Configuration()
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../samples")
        configuration.routes.files = [samples.appending(path: "istio-shop").standardizedFileURL.path]
        return RouteCatalogue(try RouteObjects(configuration, namesServerPorts: namesServerPorts).tables)
    }

    // MARK: - Names of routes

    @Test func `a route's id is made of its labels alone`() {
        let labels = RouteLabels(
            gateway: "default/my-gateway",
            virtualServiceNamespace: "default",
            virtualService: "product-vs",
            route: "#0",
            destinationService: "product-service.default.svc.cluster.local",
            destinationSubset: ""
        )
        #expect(labels.id == "131206772bb24500")
    }

    @Test func `no two routes of the samples have one id, and each is found by it`() {
        #expect(Set(catalogue.entries.map(\.id)).count == catalogue.entries.count)
        for entry in catalogue.entries {
            #expect(entry.id.utf8.count == 16)
            #expect(catalogue[id: entry.id]?.labels == entry.labels)
            #expect(catalogue[entry.labels]?.id == entry.id)
            for number in entry.numbers { #expect(catalogue.entry(ofRoute: number).id == entry.id) }
        }
        #expect(catalogue.entries.reduce(0) { $0 + $1.numbers.count } == catalogue.tables.routes.count)
    }

    // MARK: - Explanations

    @Test func `a request is explained from a query as from a line of JSON`() throws {
        let query = AdminQuestion(
            .explain,
            parameters: [
                .init(name: "url", value: "http://www.shop.example.com/products/1"),
                .init(name: "header", value: "x-user: 7"),
            ]
        )
        let line =
            #"{"authority":"www.shop.example.com","path":"/products/1","headers":[{"name":"x-user","value":"7"}]}"#
        let post = AdminQuestion(.explain, content: Array(line.utf8))
        let fromQuery = try explanation(query)
        let fromLine = try explanation(post)
        #expect(fromQuery["considered"] == fromLine["considered"])
        #expect(fromQuery["outcome"] == fromLine["outcome"])
    }

    @Test(arguments: [
        ([], "say which request"), ([("url", "ftp://a/")], "expected a URL"), ([("authority", "")], "names no host"),
        ([("url", "http://[::1")], "expected a host"), ([("url", "http://a:-1/")], "expected a host"),
        ([("url", "http://[::1]80/")], "expected a host"), ([("url", "http://a:65536/")], "expected a host"),
        ([("url", "http://a/"), ("port", "0")], "port: expected a number"),
        ([("url", "http://a/"), ("header", "nothing")], "expected a header"),
    ])
    func `what describes no request is refused with the reason`(parameters: [(String, String)], reason: String) {
        let question = AdminQuestion(.explain, parameters: parameters.map { .init(name: $0.0, value: $0.1) })
        let refusal = #expect(throws: ExplainDocument.Refusal.self) { try ExplainDocument(question) }
        #expect(refusal?.reason.contains(reason) ?? false)
    }

    @Test(arguments: ["", "[]", "{", #"{"path":7}"#, #"{"path":"/","scheme":"gopher"}"#])
    func `content that is no request is refused`(content: String) {
        let question = AdminQuestion(.explain, content: Array(content.utf8))
        #expect(throws: ExplainDocument.Refusal.self) { try ExplainDocument(question) }
    }

    @Test func `markup and control characters come back as they were, escaped for JSON`() throws {
        let path = "/<script>alert(1)</script>\u{202E}"
        let line = JSONValue.object(JSONObject(["authority": .string("a\"b\\"), "path": .string(path)]))
        let answer = try explanation(AdminQuestion(.explain, content: line.encoded()))
        #expect(answer["outcome"] == "no_route" || answer["outcome"] == "rejected")
    }

    @Test func `an explanation names all pod ports that lead to the server`() throws {
        let question = AdminQuestion(.explain, parameters: [.init(name: "url", value: "http://shop.example.com/")])
        let document = try ExplainDocument(question).octets(try Self.catalogue(namesServerPorts: false))
        let answer = try JSONDocument.parse(document)
        #expect(answer["podPorts"] == [80, 8080])
        guard case .array(let lines) = answer["text"] else {
            Issue.record("no text")
            return
        }
        #expect(lines.first == "  listener    server port 80, pod port 80 or 8080, plain HTTP")
    }

    private func explanation(_ question: AdminQuestion) throws -> JSONValue {
        try JSONDocument.parse(try ExplainDocument(question).octets(catalogue))
    }

    // MARK: - Lists and changes

    @Test func `the list has every route of the table, with or without requests`() throws {
        let registry = MetricsRegistry()
        let document = RouteListDocument(catalogue: catalogue, history: TrafficHistory(of: registry), generation: 3)
        let list = try JSONDocument.parse(document.octets)
        #expect(list["generation"] == 3)
        guard case .array(let routes) = list["routes"] else {
            Issue.record("no routes")
            return
        }
        #expect(routes.count == catalogue.entries.count)
        for (route, entry) in zip(routes, catalogue.entries) {
            #expect(route["id"] == .string(entry.id))
            #expect(route["requests"] == 0)
            #expect(route["p95"] == .null)
        }
    }

    @Test func `events are numbered, and without traffic they tell of no route`() throws {
        let feed = ChangeFeed()
        let history = TrafficHistory(of: MetricsRegistry())
        for number in 1...3 {
            let event = try JSONDocument.parse(
                feed.next(history, generation: 1) { $0.member("health", string: "good") }
            )
            #expect(event["sequence"] == .integer(number))
            #expect(event["routes"] == .array([]))
            #expect(event["health"] == "good")
        }
    }
}
