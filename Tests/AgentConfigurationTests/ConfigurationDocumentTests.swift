// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@testable import AgentConfiguration

@Suite struct ConfigurationDocumentTests {
    @Test(arguments: [
        "",
        """
        capture: {interfaces: auto, filter: "tcp", ringBytes: 8MiB, pace: realtime}
        gateway: {addresses: ["2001:db8::1", 10.0.0.1], labels: {a: "1"}}
        metrics: {listen: "[::1]:1", durationBuckets: [0.25, 1]}
        limits: {memory: 1GiB, idleTimeout: 1m30s}
        redaction: {fields: [x-key]}
        mirror: {targets: {s: {url: "http://h", rate: 90/m}}, policies: [{target: s, percent: 2.5, match: {virtualService: a/b}}]}
        log: {level: trace, format: text}
        """,
    ])
    func `the document can be read as a configuration file and gives the same configuration`(yaml: String) throws {
        let configuration = try Configuration.parse(yaml, file: "w.yaml")
        let document = String(decoding: configuration.document.indented(), as: UTF8.self)
        #expect(try Configuration.parse(document, file: "document") == configuration)
    }

    @Test func `the digest depends on what is configured and on nothing else`() throws {
        let plain = try Configuration.parse("log: {level: info}", file: "a.yaml")
        let commented = try Configuration.parse("# a comment\nlog:\n  level: info\n", file: "b.yaml")
        let other = try Configuration.parse("log: {level: debug}", file: "a.yaml")
        #expect(plain.digest == commented.digest)
        #expect(plain.digest != other.digest)
        #expect(plain.digest.count == 64)
        #expect(plain.digest.allSatisfy { $0.isHexDigit })
    }
}
