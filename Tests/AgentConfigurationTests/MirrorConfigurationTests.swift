// Wingmirror · Apache-2.0

import AnswerComparison
import JSONSyntax
import ShadowTesting
import Testing
import TrafficModel

@testable import AgentConfiguration

@Suite struct MirrorConfigurationTests {
    private static let everything = """
        mirror:
          enabled: true
          paused: true
          node: edge-1
          memory: 16MiB
          egress: 2MiB
          protection: {kernelDrops: 0.01, memory: 0.8, rest: 1m}
          targets:
            next:
              url: https://next.test
              hosts: [next.test]
              hostField: original
              rate: 10/s
              inFlight: 4
              bytes: 1MiB
              drop: oldest
              connectTimeout: 500ms
              timeout: 3s
              http2: true
              certificateAuthorities: /etc/ca.pem
              breaker: {errorShare: 0.25, latency: 2s, window: 50, rest: 1m}
              ramp: {steps: [0.1, 0.5], hold: 2m}
            now: {url: "http://[::1]:8081"}
          policies:
            - name: products
              match: {virtualService: shop/products, route: "#1", hosts: ["*.shop.test"], paths: [/p], methods: [GET], fields: {X-Beta: ""}}
              targets: [next]
              baseline: now
              percent: 0.5
              rate: 5/s
              key: [cookie:sid, client]
              methods: [POST]
              deniedPaths: [/p/pay]
              deniedParameters: [buy]
              keptFields: [Cookie]
              keptParameters: [key]
              removedFields: [x-secret]
              hashedFields: [x-user]
              hashedParameters: [mail]
              hashedContent: [user.mail]
              maximumContentBytes: 4KiB
              repeatShare: 0.5
              comparison:
                ignoredPaths: [at]
                ignoredFields: [x-took]
                unorderedPaths: [tags]
                keyedPaths: {items: id}
                numericTolerance: 0.01
                margin: 0.02
                latencyMargin: 0.5
                showsValues: true
                coverageFloor: 0.9
                significance: 0.01
                voteWindow: 5m
                maximumContentBytes: 8KiB
                maximumLag: 10s
        """

    private func problems(_ yaml: String) -> [String] {
        do {
            _ = try Configuration.parse(yaml, file: "w.yaml")
            return []
        } catch {
            return error.problems.map { "\($0.keyPath): \($0.message)" }
        }
    }

    @Test func `every key is read`() throws {
        let mirror = try Configuration.parse(Self.everything, file: "w.yaml").mirror
        #expect(mirror.enabled && mirror.paused)
        #expect(mirror.protection == MirrorProtection(kernelDrops: 0.01, memory: 0.8, rest: .seconds(60)))
        #expect(mirror.targets.map(\.url) == ["https://next.test:443", "http://[::1]:8081"])
        let target = try #require(mirror.targets.first)
        #expect(target.hostField == .original)
        #expect(target.dropsFirst == .oldest)
        #expect(target.breaker.latency == .seconds(2))
        #expect(target.ramp.steps == [0.1, 0.5])
        let policy = try #require(mirror.policies.first)
        #expect(policy.match.fields == ["x-beta": ""])
        #expect(policy.key == [.cookie("sid"), .clientAddress])
        #expect(policy.keptFields == ["cookie"])
        #expect(policy.keptParameters == ["key"])
        #expect(policy.deniedParameters == ["buy"])
        #expect(policy.maximumContentOctets == 4096)
        #expect(policy.comparison.latencyMargin == 0.5)
        #expect(policy.comparison.showsValues)
        #expect(policy.comparison.keyedPaths == ["items": "id"])
        #expect(policy.comparison.voteWindow == .seconds(300))
    }

    @Test func `the document can be read again and gives the same configuration`() throws {
        let configuration = try Configuration.parse(Self.everything, file: "w.yaml")
        let document = String(decoding: configuration.document.indented(), as: UTF8.self)
        #expect(try Configuration.parse(document, file: "document") == configuration)
    }

    @Test func `a sampling secret is never shown`() throws {
        let configuration = try Configuration.parse("mirror: {samplingSecret: hunter2}", file: "w.yaml")
        #expect(configuration.mirror.samplingSecret == "hunter2")
        #expect(!String(decoding: configuration.document.encoded(), as: UTF8.self).contains("hunter2"))
    }

    @Test(arguments: [
        ("mirror: {enabled: true}", "mirror.enabled: nothing would be mirrored: there are no policies"),
        (
            "mirror: {targets: {a: {url: \"http://a\"}}, policies: [{target: a, baseline: a}]}",
            "mirror.policies[0].baseline: \"a\" cannot be judged against itself: it is among the targets too"
        ),
        (
            "mirror: {targets: {a: {url: \"http://a\"}}, policies: [{name: x, target: a}, {name: x, target: a}]}",
            "mirror.policies: two policies have the name \"x\"; their counts could not be distinguished"
        ),
        (
            "mirror: {targets: {a: {url: \"http://a\", hosts: [b]}}}",
            "mirror.targets.a.hosts: the host of url, \"a\", is not among them"
        ),
        (
            "mirror: {targets: {a: {url: \"http://a\", ramp: {steps: [0.5, 0.1]}}}}",
            "mirror.targets.a.ramp.steps: shares must grow, such as [0.01, 0.1, 0.5]"
        ),
        (
            "mirror: {targets: {a: {url: \"http://a\", http2: true}}}",
            "mirror.targets.a.http2: needs an https URL: without TLS nothing tells whether the target speaks it"
        ),
        (
            "mirror: {targets: {a: {url: \"http://a\"}}, policies: [{target: a, match: {hosts: [\"b:80\", \"[::1]\"]}}]}",
            "mirror.policies[0].match.hosts: \"b:80\" has a port, and is matched by no request: hosts are compared without"
        ),
        (
            "mirror: {targets: {a: {url: \"http://a\"}}, policies: [{target: a, match: {methods: [get]}}]}",
            "mirror.policies[0].match.methods[0]: expected a method in upper case such as POST, found \"get\""
        ),
    ])
    func `what makes no sense is refused with its place`(yaml: String, expected: String) {
        #expect(problems(yaml) == [expected])
    }
}
