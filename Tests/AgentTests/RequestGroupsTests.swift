// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import OctetText
import PacketCapture
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

@Suite struct PathShapeTests {
    @Test(arguments: [
        ("/", "/"), ("", "/"), ("*", "*"), ("/products", "/products"), ("/products/", "/products/"),
        ("/products/17", "/products/*"), ("/products/17/reviews?page=2", "/products/*/reviews"),
        ("/v1/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/v1/users/*"),
        ("/oauth2/token", "/oauth2/token"), ("/s3/v2beta1/x", "/s3/v2beta1/x"),
        ("/commit/9fceb02d0ae598e95dc970b74767f19372d61af8", "/commit/*"),
        ("/cafe/decade/facade", "/cafe/decade/facade"), ("/a/b/c/d/e/f", "/a/b/c/d/…"),
        ("http://shop.example.com/products/17?x=http://y/", "/products/*"), ("http://shop.example.com", "/"),
        ("/#fragment", "/"), ("/files/" + String(repeating: "x", count: 60), "/files/*"),
    ])
    func `identifiers are left out of a path`(target: String, shape: String) {
        #expect(PathShape(target: target).text == shape)
    }
}

@Suite struct FrequentTextTests {
    @Test func `what makes up more than a fifth is found, whatever the order`() {
        for place in 0..<10 {
            var text = FrequentText()
            for number in 0..<100 {
                text.add([0, 3, 7].contains((number + place) % 10) ? "often" : "\(number)")
            }
            #expect(text.first == "often")
            #expect(abs((text.share ?? 0) - 0.3) <= 0.03)
        }
    }

    @Test func `what makes up a third of many is named with its share, within a hundredth or three`() {
        for seed in UInt64(0)..<5 {
            var random = SeededGenerator(seed: seed)
            var text = FrequentText()
            for _ in 0..<20_000 {
                text.add(random.next() % 10 < 3 ? "198.51.100.7" : "10.0.\(random.next() % 500).1")
            }
            #expect(text.first == "198.51.100.7")
            #expect(abs((text.share ?? 0) - 0.3) <= 0.03)
        }
    }

    @Test(arguments: [8, 16, 17, 40, 500])
    func `of equals none is named, or one with its share`(count: Int) {
        var text = FrequentText()
        for round in 0..<200 {
            for number in 0..<count { text.add("10.0.0.\((number + round) % count)") }
        }
        #expect(!text.isEmpty)
        if let share = text.share {
            #expect(abs(share - 1 / Double(count)) <= 0.01)
        } else {
            #expect(count > 16 && text.first == nil)
        }
    }

    @Test func `one text has all of it, and long ones are cut`() {
        var text = FrequentText()
        #expect(text.first == nil)
        #expect(text.share == nil)
        for _ in 0..<3 { text.add(String(repeating: "y", count: 500)) }
        #expect(text.first?.count == 121)
        #expect(text.share == 1)
    }
}

@Suite struct SampleReckoningTests {
    @Test(arguments: [(100, 5), (3, 1), (1, 1)])
    func `a sample that is ahead of the counter stands for no more than is counted`(kept: Int, ahead: Int) {
        var reckoning = SampleReckoning()
        var sum = 0.0
        for round in 1...50 {
            sum += reckoning.requests(for: kept, of: UInt64(round * kept - ahead))
            #expect(abs(sum - Double(round * kept - ahead)) <= Double(ahead))
        }
    }

    @Test func `a sample stands for what was counted since the last one, also when the counter began anew`() {
        var reckoning = SampleReckoning()
        #expect(reckoning.requests(for: 20, of: 1000) == 1000)
        #expect(reckoning.requests(for: 20, of: 1500) == 500)
        #expect(reckoning.requests(for: 1, of: 70) == 70)
    }
}

@Suite struct RequestWatchTests {
    private static let sample = "\(Repository.path)/samples/captures/ingress.pcap"

    /// Reads the sample through a pipeline that keeps exchanges.
    private func watched(
        _ limits: RecentLimits = RecentLimits(),
        capture path: String = sample
    ) throws -> (watch: RequestWatch, run: TrafficRun, recent: RecentBoard) {
        var configuration = Configuration()
        configuration.routes.files = ["\(Repository.path)/samples/istio"]
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        let run = TrafficRun(objects, configuration, isLive: false, at: 0)
        let recent = RecentBoard(limits: limits)
        var outputs = PipelineOutputs()
        outputs.recent = recent
        var worker = CaptureWorker(run.makePipeline(outputs: outputs))
        let stop = StopFlag()
        var capture = try SavefileCapture(paths: [path], stop: stop)
        capture.run(into: &worker, until: stop)
        worker.captureEnded()
        return (RequestWatch(run.registry, recent: recent), run, recent)
    }

    @Test func `the kinds of requests that no route took add up to all of them`() throws {
        let (watch, run, _) = try watched()
        #expect(watch.unmatched(20).groups.isEmpty)
        watch.sample()
        let (groups, total) = watch.unmatched(20)
        let counted = run.registry.unmatchedSummaries().reduce(0) { $0 + $1.requestCount }
        #expect(counted == 20)
        #expect(abs(total - Double(counted)) < 1)
        #expect(abs(groups.reduce(0) { $0 + $1.count } - total) < 1)
        #expect(groups.map(\.count) == groups.map(\.count).sorted(by: >))
        let shown = groups.first { $0.key.path.text == "/robots.txt" }
        #expect(shown?.key.host == "shop.example.com")
        #expect(shown?.key.status == 404)
        #expect(shown?.key.cause == .unmatched(.noMatch))
    }

    @Test func `a request that is shown names its route as metrics do`() throws {
        let (_, run, recent) = try watched()
        let exchange = try #require(recent.routed.first)
        let route = try #require(exchange.route)
        let catalogue = RouteCatalogue(run.routes.generation.tables)
        let document = JSONText.document { $0.member("shown", list: [exchange]) { $0.exchange($1, catalogue) } }
        guard case .array(let shown) = try JSONDocument.parse(document)["shown"] else {
            Issue.record("nothing is shown")
            return
        }
        #expect(shown.first?["route"]?["label"] == .string(RouteLabels(route).route))
    }

    /// The sample with other times, its first packet `seconds` after 1970.
    private static func sample(from seconds: UInt32) -> [UInt8] {
        var octets = [UInt8]((try? Data(contentsOf: URL(filePath: sample))) ?? Data())
        func number(at place: Int) -> UInt32 {
            octets[place..<place + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        let first = number(at: 24)
        var record = 24
        while record < octets.count {
            let moved = number(at: record) &- first &+ seconds
            for index in 0..<4 { octets[record + index] = UInt8(truncatingIfNeeded: moved >> (8 * UInt32(index))) }
            record += 16 + Int(number(at: record + 8))
        }
        return octets
    }

    @Test(arguments: [UInt32.max - 5, 1 << 31, 0, 1_700_000_000])
    func `requests of any time are grouped, also from before 1970`(seconds: UInt32) throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/moved.pcap"
        try Data(Self.sample(from: seconds)).write(to: URL(filePath: path))
        let (watch, _, _) = try watched(capture: path)
        watch.sample()
        let (groups, _) = watch.unmatched(200)
        #expect(groups.reduce(0) { $0 + $1.samples } == 20)
        #expect(groups.allSatisfy { group in group.trend(at: group.last).contains { ($0 ?? 0) > 0 } })
    }

    @Test func `the kind that began with a change of the routes comes before a larger one that is older`() throws {
        let (watch, _, _) = try watched()
        watch.sample()
        let groups = watch.unmatched(20).groups
        let now = try #require(groups.map(\.last).max())
        let largest = try #require(watch.mostMistaken(after: nil, at: now))
        #expect(largest.group.key == groups.first?.key)
        let younger = groups.filter { $0.first > largest.group.first + 3_000_000_000 && $0.lastMinute(until: now) >= 1 }
        let late = try #require(younger.first, "the sample has kinds that begin later")
        let found = try #require(watch.mostMistaken(after: late.first - 1, at: now))
        #expect(found.group.first >= late.first - 2_000_000_001)
        #expect(found.group.key != largest.group.key)
        #expect(found.share <= largest.share)
        // A change of an hour before, or one after all of them, explains none of them.
        for change in [late.first - 3_600_000_000_000, now + 3_000_000_000] {
            #expect(watch.mostMistaken(after: change, at: now)?.group.key == largest.group.key)
        }
    }

    /// Requests of a kind that were counted; how long after a whole step; how many seconds are known; the rate that is meant.
    private static let rates: [[Double]] = [
        [780, 0, 60, 13], [897, 9, 61, 13], [908.7, 9.9, 62, 13],
        // An agent that is twenty seconds old; a sample that stands for more than were counted.
        [260, 5, 20, 13], [1200, 9, 61, 14],
    ]

    @Test(arguments: rates)
    func `a kind's share of all is of the seconds in which it was counted, and at most that of all kinds`(
        row: [Double]
    ) throws {
        let now = 1_795_000_000_000_000_000 + Int64(row[1] * 1e9)
        let share = RequestGroups.Group.share(of: row[0], until: now, covered: row[2], 32, within: 14)
        #expect(abs(try #require(share) * 32 - row[3]) < 1e-6)
        #expect(RequestGroups.Group.share(of: 0, until: now, covered: 0, 0, within: 0) == nil)
    }

    @Test func `nothing is taken up twice`() throws {
        let (watch, _, _) = try watched()
        watch.sample()
        let before = watch.unmatched(200)
        watch.sample()
        let after = watch.unmatched(200)
        #expect(before.total == after.total)
        #expect(before.groups.map(\.count) == after.groups.map(\.count))
        #expect(before.groups.map(\.samples) == after.groups.map(\.samples))
    }

    @Test func `a route's failures are grouped by status and path`() throws {
        let (watch, _, recent) = try watched()
        watch.sample()
        let route = try #require(recent.failed.first?.route)
        let groups = watch.failing(RouteLabels(route), 50)
        #expect(!groups.isEmpty)
        for group in groups {
            #expect(group.key.cause == .route(RouteLabels(route)))
            #expect(group.key.status == 0 || group.key.status >= 400)
            #expect(group.first <= group.last)
            let perSecond = group.trend(at: group.last).compactMap { $0 }.reduce(0, +)
            #expect(abs(perSecond * 10 - group.count) < 0.01 * group.count)
        }
    }

    @Test func `what a sample stands for is counted, not the sample`() throws {
        var limits = RecentLimits()
        limits.perSecond = 1
        limits.burst = 1
        let (watch, run, recent) = try watched(limits)
        watch.sample()
        let routes = Set((recent.failed + recent.refused).compactMap { $0.route.map { RouteLabels($0) } })
        let counts = run.registry.errorCounts(of: routes)
        #expect(!routes.isEmpty && counts.count == routes.count)
        var kept = 0
        for route in routes {
            let groups = watch.failing(route, 200)
            kept += groups.reduce(0) { $0 + $1.samples }
            let refusals = groups.filter { $0.key.status / 100 == 4 }.reduce(0) { $0 + $1.count }
            let failures = groups.reduce(0) { $0 + $1.count } - refusals
            let counted = try #require(counts[route])
            #expect(refusals == 0 || abs(refusals - Double(counted.refusals)) < 0.01)
            #expect(failures == 0 || abs(failures - Double(counted.failures)) < 0.01)
        }
        // Of one status no other is made.
        let statuses = Set((recent.failed + recent.refused).map(\.facts.status))
        #expect(Set(routes.flatMap { watch.failing($0, 200) }.map(\.key.status)) == statuses)
        #expect(kept > 0 && kept < counts.values.reduce(0) { $0 + Int($1.failures + $1.refusals) })
    }

    @Test func `the number of kinds is bounded, and a count is never too low`() throws {
        let (_, _, recent) = try watched()
        let example = try #require(recent.unmatched.first)
        var groups = RequestGroups()
        var truth: [String: Double] = [:]
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            // One kind in three requests; the others are of a thousand kinds.
            let name = random.next() % 3 == 0 ? "/often" : "/name-\(random.next() % 1000)x"
            truth[name, default: 0] += 1
            let key = RequestGroups.Key(
                cause: .unmatched(.noMatch),
                status: 404,
                host: "h",
                path: PathShape(target: name)
            )
            groups.add(example, key: key, weight: 1)
        }
        let largest = groups.largest(1000)
        #expect(largest.count == RequestGroups.capacity)
        #expect(largest.first?.key.path.text == "/often")
        for group in largest {
            let exact = truth[group.key.path.text] ?? 0
            #expect(group.count >= exact)
            #expect(group.count - group.overcount <= exact)
        }
        #expect(groups.total == 20_000)
    }
}
