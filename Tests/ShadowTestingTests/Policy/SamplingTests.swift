// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct SamplingTests {
    private func requests(_ count: Int) -> [RecordedRequest] {
        (0..<count).map { .client("GET", "/products/\($0 % 7)", [("X-Request-Id", "request-\($0)-of-many")]) }
    }

    private func sampled(_ percent: Double, _ requests: [RecordedRequest], secret: String = "") throws -> Set<Int> {
        var driver = try PlanDriver([.everything { $0.percent = percent }], secret: secret)
        var numbers: Set<Int> = []
        for (number, request) in requests.enumerated() where !driver.decide(request).isEmpty { numbers.insert(number) }
        #expect(driver.tallies.tally(ofPolicy: 0).notSampled == UInt64(requests.count - numbers.count))
        return numbers
    }

    @Test(arguments: [1.0, 5, 10, 25, 50, 90], ["", "salt", "another"])
    func `the share of 500 requests is within three standard deviations`(percent: Double, secret: String) throws {
        let requests = requests(500)
        let share = percent / 100
        let deviation = (500 * share * (1 - share)).squareRoot()
        let count = Double(try sampled(percent, requests, secret: secret).count)
        #expect((count - 500 * share).magnitude <= 3 * deviation)
    }

    @Test func `a smaller share is a subset of every larger one`() throws {
        let requests = requests(2000)
        var smaller: Set<Int> = []
        for percent in [0, 0.1, 1, 5, 10, 30, 60, 99.9, 100] {
            let larger = try sampled(percent, requests)
            #expect(smaller.isSubset(of: larger))
            smaller = larger
        }
        #expect(smaller.count == 2000)
        #expect(try sampled(0, requests).isEmpty)
    }

    @Test func `two nodes decide alike, and another secret decides otherwise`() throws {
        let requests = requests(1000)
        let first = try sampled(20, requests, secret: "fleet")
        // The other node has seen other things before, in another order.
        var other = try PlanDriver(
            [.everything { $0.percent = 3 }, .everything("b") { $0.percent = 20 }],
            secret: "fleet"
        )
        var second: Set<Int> = []
        for (number, request) in requests.enumerated().reversed() where other.decide(request).policies & 2 != 0 {
            second.insert(number)
        }
        #expect(first == second)
        #expect(try sampled(20, requests, secret: "other") != first)
    }

    @Test func `requests that take turns are sampled alike`() throws {
        let requests = (0..<4000).map { number -> RecordedRequest in
            .client("GET", number % 2 == 0 ? "/even" : "/odd", [("X-Request-Id", "sequence-number-\(number)")])
        }
        let sampled = try sampled(50, requests)
        let even = Double(sampled.count { $0 % 2 == 0 })
        #expect((even - 1000).magnitude <= 3 * (2000 * 0.25).squareRoot())
        #expect((Double(sampled.count) - even - 1000).magnitude <= 3 * (2000 * 0.25).squareRoot())
    }

    @Test func `policies with one key and different shares nest within one plan`() throws {
        var driver = try PlanDriver([.everything("five") { $0.percent = 5 }, .everything("fifty") { $0.percent = 50 }])
        for request in requests(500) {
            let selection = driver.decide(request)
            #expect(selection.policies & 1 == 0 || selection.policies == 3)
        }
        #expect(driver.tallies.considered(ofPolicy: 0) < 500)
    }

    // MARK: - Keys

    private static let traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

    private func hash(_ keys: [SamplingKey], _ fields: [(String, String)], client: UInt64 = 1) throws -> UInt64 {
        var driver = try PlanDriver(.everything { $0.key = keys })
        let selection = driver.decide(.client("GET", "/", fields), client: client)
        try #require(!selection.isEmpty)
        return selection.keyHash
    }

    @Test func `a trace is one key in every format and for every span`() throws {
        let keys: [SamplingKey] = [.traceContext, .clientAddress]
        let first = try hash(keys, [("traceparent", "00-\(Self.traceID)-00f067aa0ba902b7-01")])
        #expect(try hash(keys, [("Traceparent", "00-\(Self.traceID)-b7ad6b7169203331-00")], client: 2) == first)
        #expect(try hash(keys, [("b3", "\(Self.traceID)-b7ad6b7169203331-1")], client: 3) == first)
        let fields = [("X-B3-TraceId", Self.traceID), ("X-B3-SpanId", "b7ad6b7169203331")]
        #expect(try hash(keys, fields, client: 4) == first)
        #expect(try hash(keys, [("traceparent", "00-\(Self.traceID)-zz-01")], client: 4) != first)
    }

    @Test func `the first key that a request has counts`() throws {
        let keys: [SamplingKey] = [.field("x-user"), .cookie("session"), .clientAddress]
        let user = try hash(keys, [("X-User", "u1"), ("Cookie", "session=s1")])
        #expect(try hash(keys, [("x-user", "u1"), ("Cookie", "session=s2")], client: 9) == user)
        let session = try hash(keys, [("Cookie", "a=b; session=s1; c=d")])
        #expect(session != user)
        #expect(
            try hash(keys, [("X-User", ""), ("Cookie", "xsession=no"), ("cookie", "session=s1")], client: 9) == session
        )
        #expect(try hash(keys, [], client: 1) != hash(keys, [], client: 2))
    }

    @Test func `a value means another key under another name`() throws {
        let first = try hash([.field("x-a")], [("x-a", "value")])
        #expect(try hash([.field("x-b")], [("x-b", "value")]) != first)
        #expect(try hash([.cookie("x-a")], [("cookie", "x-a=value")]) != first)
    }

    @Test func `without any of its keys a request stands for itself`() throws {
        let anonymous = try hash([.cookie("session")], [], client: 1)
        #expect(try hash([.cookie("session")], [("cookie", "session=")], client: 1) == anonymous)
        #expect(try hash([.cookie("session")], [], client: 2) != anonymous)
        var driver = try PlanDriver(.everything { $0.key = [.cookie("session")] })
        let first = driver.decide(.client()).keyHash
        #expect(driver.decide(.client()).keyHash != first, "a millisecond later")
    }

    @Test(arguments: [1.0, 5, 20, 50])
    func `requests of one client without any key are a share, not all or none`(percent: Double) throws {
        var driver = try PlanDriver(
            .everything {
                $0.percent = percent
                $0.key = MirrorPolicy(name: "", targets: []).key
            }
        )
        let count = (0..<2000).count { _ in !driver.decide(.client("GET", "/products/1")).isEmpty }
        let share = percent / 100
        #expect((Double(count) - 2000 * share).magnitude <= 3 * (2000 * share * (1 - share)).squareRoot())
    }

    @Test func `the client is who X-Forwarded-For names first, and else the peer`() throws {
        let behind = try hash([.clientAddress], [("X-Forwarded-For", "203.0.113.7, 10.0.0.1")], client: 1)
        #expect(try hash([.clientAddress], [("x-forwarded-for", " 203.0.113.7 ")], client: 2) == behind)
        #expect(try hash([.clientAddress], [("x-forwarded-for", "203.0.113.8")], client: 1) != behind)
        #expect(
            try hash([.clientAddress], [("x-forwarded-for", "")], client: 1) == hash([.clientAddress], [], client: 1)
        )
    }

    @Test func `a huge cookie field is searched to its end`() throws {
        let padding = String(repeating: "a=b;", count: 50_000)
        let short = try hash([.cookie("session")], [("Cookie", "session=s")])
        #expect(try hash([.cookie("session")], [("Cookie", padding + " session=s")]) == short)
        #expect(try hash([.cookie("session")], [("Cookie", String(repeating: ";=", count: 50_000))]) != short)
    }

    @Test func `policies with keys of their own get the hash of their own key`() throws {
        let policies: [MirrorPolicy] = [
            .everything("user") { $0.key = [.cookie("user")] }, .everything("trace") { $0.key = [.traceContext] },
            .everything("user again") { $0.key = [.cookie("user")] },
        ]
        var driver = try PlanDriver(policies)
        let request = RecordedRequest.client(
            "GET",
            "/",
            [("Cookie", "user=u"), ("traceparent", "00-\(Self.traceID)-00f067aa0ba902b7-01")]
        )
        let selection = driver.decide(request)
        #expect(selection.policies == 7)
        let exchange = RecordedExchange(request: request, startTime: 0)
        let hashes = (0..<3).map { policy in
            driver.plan.sampledExchange(exchange, policy: policy, selection: selection, client: (0, 1)).keyHash
        }
        #expect(hashes[0] == selection.keyHash)
        #expect(hashes[2] == hashes[0])
        #expect(hashes[1] != hashes[0])
    }
}
