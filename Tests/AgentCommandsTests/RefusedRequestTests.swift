// Wingmirror · Apache-2.0

import ArgumentParser
import JSONSyntax
import RouteAttribution
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// Requests that the gateway refuses before it looks for a route, and what `routes explain` says of them.
@Suite struct RefusedRequestTests {
    private static func objects() throws -> RouteObjects {
        var configuration = Configuration()
        configuration.routes.files = ["\(Repository.path)/samples/istio"]
        return try RouteObjects(configuration, namesServerPorts: true, for: .person)
    }

    @Test(arguments: [
        (#"{"path": "/", "authority": "a", "protocol": "HTTP/1.0"}"#, RefusalReason.http10),
        (#"{"path": "/", "authority": "a", "method": "get"}"#, .method),
        (#"{"path": "/a b", "authority": "a"}"#, .target), (#"{"path": "a", "authority": "a"}"#, .target),
        (#"{"path": "https://a/", "authority": "a"}"#, .target),
        (#"{"path": "/"}"#, .noHost), (#"{"path": "/", "authority": "a b"}"#, .host),
        (#"{"path": "/", "authority": "a", "method": "QUERY"}"#, .contentType),
        (#"{"path": "/", "authority": "a", "headers": [{"name": "connection", "value": "host"}]}"#, .connection),
    ])
    func `a refusal has a reason, with what there is to do`(line: String, reason: RefusalReason) throws {
        let objects = try Self.objects()
        let request = try DescribedRequest(JSONDocument.parse(Array(line.utf8)))
        var scratch = RouteScratch()
        let explanation = objects.table.explain(request, scratch: &scratch)
        #expect(explanation.decision.outcome == .rejected)
        #expect(explanation.decision.refusal == reason)
        let text = ExplanationReport(explanation, request, of: objects.table, title: "").lines
        #expect(text.contains("  why         \(reason.sentence)"))
        var json = JSONText()
        objects.table.write(explanation, id: .null, caseID: nil, to: &json)
        let document = try JSONDocument.parse(json.octets)
        #expect(document["why"]?.stringValue == reason.word)
        #expect(document["causes"] == [.string(reason.sentence)])
    }

    @Test func `HTTP 1_0 is explained with the setting that takes it`() {
        #expect(RefusalReason.http10.sentence.contains("gateway.http10"))
    }

    @Test func `each refusal has a word and a sentence of its own`() {
        #expect(Set(RefusalReason.allCases.map(\.word)).count == RefusalReason.allCases.count)
        #expect(Set(RefusalReason.allCases.map(\.sentence)).count == RefusalReason.allCases.count)
    }

    // MARK: - The request line

    @Test(arguments: [
        ["GET shop.example.com/a b"], ["GET  http://shop.example.com/a b"], ["GET", "shop.example.com/a b"],
    ])
    func `a method and a URL in one pair of quotes are two words`(words: [String]) throws {
        let line = try RequestLine(words, headers: [])
        #expect(line.method == "GET" && line.authority == "shop.example.com" && line.target == "/a b")
    }

    @Test func `what is missing is said once`() throws {
        let command = try #require(try Wingmirror.parseAsRoot(["routes", "explain"]) as? RoutesExplainCommand)
        let error = #expect(throws: ConfigurationProblems.self) { _ = try ExplainPlan(command) }
        #expect(error?.problems.count == 1)
    }

    @Test(arguments: [
        "http://user@shop.example.com/products", "http://user:secret@shop.example.com/products",
        "http://a@b@shop.example.com/products", "user@shop.example.com/products",
    ])
    func `user and password of a URL are no part of the host`(url: String) throws {
        let line = try RequestLine([url], headers: [])
        #expect(line.authority == "shop.example.com")
        #expect(line.target == "/products")
    }

    @Test func `a URL with a user and nothing else names no host`() {
        #expect(throws: RequestLineError.self) { try RequestLine(["http://user@/"], headers: []) }
    }
}
