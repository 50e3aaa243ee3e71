// Wingmirror · Apache-2.0

import AnswerComparison
import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct MirrorPlanTests {
    // MARK: - Conservation

    @Test func `each request has one fate for each policy that looked at it`() throws {
        var driver = try PlanDriver([
            .everything("half") { $0.percent = 50 },
            .everything("writes") { $0.methods = ["POST"] },
            .everything("api") { $0.match.pathPrefixes = ["/api"] },
        ])
        let methods = ["GET", "POST", "DELETE", "HEAD"]
        let paths = ["/api/a", "/logout", "/x", "/api/logout"]
        var looks = [UInt64](repeating: 0, count: 3)
        for number in 0..<400 {
            let path = paths[number % 4]
            let request = RecordedRequest.client(
                methods[number / 4 % 4],
                path,
                [("x-request-id", "number \(number) of 400")]
            )
            let selection = driver.decide(request, isMarked: number % 10 == 0)
            let completed = CompletedRequest(isWhole: number % 3 != 0, contentOctets: 0, keptOctets: 0)
            _ = driver.plan.complete(selection, completed, tallies: &driver.tallies)
            looks[0] += 1
            looks[1] += 1
            looks[2] += path.hasPrefix("/api") ? 1 : 0
            for policy in 0..<3 { #expect(driver.tallies.considered(ofPolicy: policy) == looks[policy]) }
        }
        let half = driver.tallies.tally(ofPolicy: 0)
        #expect(half.notSampled > 0)
        #expect(driver.tallies.sampled(ofPolicy: 0) > 0)
        #expect(Set(half.filtered.keys) == [.marked, .method, .path, .integrity])
        driver.tallies.removeAll()
        #expect(driver.tallies.isEmpty)
        #expect(driver.tallies.considered(ofPolicy: 0) == 0)
    }

    @Test func `a sampled request is counted when its exchange is over, not before`() throws {
        var driver = try PlanDriver(.everything())
        let selection = driver.decide(.client())
        #expect(driver.tallies.isEmpty)
        let whole = CompletedRequest(isWhole: true, contentOctets: 0, keptOctets: 0)
        #expect(driver.plan.complete(selection, whole, tallies: &driver.tallies) == 1)
        #expect(driver.tallies.sampled(ofPolicy: 0) == 1)
    }

    // MARK: - Completion

    @Test(arguments: [
        (CompletedRequest(isWhole: true, contentOctets: 0, keptOctets: 0), FilterReason?.none),
        (CompletedRequest(isWhole: true, contentOctets: 10, keptOctets: 10), nil),
        (CompletedRequest(isWhole: true, contentOctets: 11, keptOctets: 10), .size),
        (CompletedRequest(isWhole: true, contentOctets: 9, keptOctets: 8), .integrity),
        (CompletedRequest(isWhole: false, contentOctets: 5, keptOctets: 5), .integrity),
        (CompletedRequest(isWhole: true, contentOctets: 0, keptOctets: 0, changedProtocol: true), .unsendable),
        (CompletedRequest(isWhole: true, contentOctets: 7, keptOctets: 7, isIncomparableCall: true), .notComparable),
    ])
    func `only requests seen whole and within the limit are mirrored`(
        request: CompletedRequest,
        reason: FilterReason?
    ) throws {
        var driver = try PlanDriver(.everything { $0.maximumContentOctets = 10 })
        let selection = driver.decide(.client())
        let accepted = driver.plan.complete(selection, request, tallies: &driver.tallies)
        #expect(accepted == (reason == nil ? 1 : 0))
        #expect(driver.tallies.tally(ofPolicy: 0).filtered == (reason.map { [$0: 1] } ?? [:]))
    }

    @Test(arguments: [
        ("9", FilterReason?.none), ("10", nil), ("11", .size), ("99999999999999999999", .size), ("x", .size),
    ])
    func `announced content over the limit is not even kept`(length: String, reason: FilterReason?) throws {
        var driver = try PlanDriver(.everything { $0.maximumContentOctets = 10 })
        #expect(driver.reason(against: .client("GET", "/", [("Content-Length", length)])) == reason)
    }

    @Test func `content is kept up to the largest limit of the policies that sampled the request`() throws {
        let driver = try PlanDriver([
            .everything("a") { $0.maximumContentOctets = 10 },
            .everything("b") {
                $0.maximumContentOctets = 20
                $0.comparison.maximumContentOctets = 5
            },
        ])
        let first = MirrorSelection(policies: 1, edition: 0, keyHash: 0)
        #expect(driver.plan.contentLimits(of: first) == (10, 1 << 20))
        let second = MirrorSelection(policies: 2, edition: 0, keyHash: 0)
        #expect(driver.plan.contentLimits(of: second) == (20, 5))
        #expect(driver.plan.contentLimits(of: .none) == (0, 0))
    }

    // MARK: - Copies and loops

    @Test func `the same request seen twice is mirrored once`() throws {
        var driver = try PlanDriver(.everything())
        let fields = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
        let request = RecordedRequest.client("GET", "/a?b=c", fields)
        #expect(!driver.decide(request).isEmpty)
        #expect(driver.decide(request).isEmpty)
        #expect(driver.tallies.tally(ofPolicy: 0).filtered == [.duplicate: 1])

        let absolute = RecordedRequest.client("GET", "http://shop.example.com/a?b=c", fields)
        #expect(driver.decide(absolute).isEmpty)
        #expect(driver.tallies.tally(ofPolicy: 0).filtered == [.duplicate: 2])
    }

    @Test func `requests of one trace that differ are no copies of each other`() throws {
        var driver = try PlanDriver(.everything())
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let field = ("traceparent", "00-\(trace)-00f067aa0ba902b7-01")
        let requests: [RecordedRequest] = [
            .client("GET", "/a", [field]), .client("GET", "/b", [field]), .client("HEAD", "/a", [field]),
            .client("GET", "/a?x", [field]), .client("GET", "/a", [("traceparent", "00-\(trace)-b7ad6b7169203331-01")]),
            .client("GET", "/a", [("x-request-id", trace)]),
            .client("GET", "/a", [("x-request-id", "f3ce929d0e0e4736-other")]),
        ]
        for request in requests { #expect(!driver.decide(request).isEmpty) }
    }

    @Test func `requests that say nothing of who they are are never copies`() throws {
        var driver = try PlanDriver(.everything())
        for _ in 0..<10 {
            #expect(!driver.decide(.client()).isEmpty)
            #expect(!driver.decide(.client("GET", "/", [("x-request-id", "1")])).isEmpty)
        }
    }

    @Test func `the same ids long after are another request`() throws {
        var driver = try PlanDriver(.everything())
        let request = RecordedRequest.client("GET", "/", [("x-request-id", "0123456789abcdef")])
        #expect(!driver.decide(request).isEmpty)
        driver.time += RecentRequests.windowNanoseconds
        #expect(!driver.decide(request).isEmpty)
    }

    @Test func `marked requests are never mirrored`() throws {
        var driver = try PlanDriver(.everything())
        #expect(driver.reason(against: .client(), isMarked: true) == .marked)
        #expect(driver.reason(against: .client("POST"), isMarked: true) == .marked)
    }

    // MARK: - Limits

    @Test func `thirty-two policies decide side by side, and no more are taken`() throws {
        let policies = (0..<32).map { number in MirrorPolicy.everything("p\(number)") }
        var driver = try PlanDriver(policies)
        #expect(driver.decide(.client(), concerned: .max).policies == .max)
        #expect(throws: MirrorPlanError.self) { try PlanDriver(policies + [.everything("p32")]) }
    }

    @Test func `no policy concerned, nothing decided`() throws {
        var driver = try PlanDriver(.everything())
        #expect(driver.decide(.client(), concerned: 0) == .none)
        #expect(driver.tallies.isEmpty)
    }

    private static let mistakes: [(message: String, change: @Sendable (inout MirrorPolicy) -> Void)] = [
        ("percent is 101.0", { $0.percent = 101 }),
        ("percent is nan", { $0.percent = .nan }),
        ("there is no target nowhere", { $0.targets = ["nowhere"] }),
        ("it names no target", { $0.targets = [] }),
        ("it names a target twice", { $0.targets = ["staging", "staging"] }),
        ("the baseline staging is among", { $0.baseline = "staging" }),
        ("CONNECT are never mirrored", { $0.methods = ["CONNECT"] }),
        ("TRACE are never mirrored", { $0.match.methods = ["TRACE"] }),
        ("is no method", { $0.methods = ["P OST"] }),
        ("does not begin with a slash", { $0.deniedPaths = ["admin"] }),
        ("must be written as namespace/name", { $0.match.virtualService = "shop" }),
        ("is no host", { $0.match.hosts = ["*.*"] }),
        ("is no host", { $0.match.hosts = ["a b"] }),
        ("is no name of a field", { $0.key = [.field("a:b")] }),
        ("must be more than 0", { $0.ratePerSecond = 0 }),
    ]

    @Test(arguments: mistakes.indices)
    func `policies that make no sense are refused by name`(number: Int) throws {
        let (message, change) = Self.mistakes[number]
        let error = #expect(throws: MirrorPlanError.self) { try PlanDriver(.everything("shop", change)) }
        let text = try #require(error).description
        #expect(text.contains(message))
        #expect(text.contains("mirror policy shop"))
    }
}
