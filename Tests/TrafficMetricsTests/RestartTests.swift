// Wingmirror · Apache-2.0

import Foundation
import Testing

@testable import TrafficMetrics

/// What increase() of a real Prometheus says of an agent that is restarted, against what happened.
@Suite(
    .enabled(if: RealPrometheus.isAvailable, "no Prometheus: apt-get install prometheus, and a python3"),
    .timeLimit(.minutes(20))
)
struct RestartTests {
    private static let first = Int64(Date.now.timeIntervalSince1970) * 1_000_000_000

    /// What is asked of one route, by method, code and error.
    private struct Outcome: Hashable {
        let method: RequestMethodLabel
        let status: Int
        let error: ErrorTypeLabel

        var labels: [String] { [method.text, String(status), error.text] }
    }

    private static let good = Outcome(method: .get, status: 200, error: .none)
    private static let failures = [
        Outcome(method: .get, status: 503, error: .gatewayError),
        Outcome(method: .get, status: 500, error: .serviceError),
        Outcome(method: .get, status: 0, error: .noResponse),
        Outcome(method: .get, status: 503, error: .serverError),
    ]
    /// Outcomes that no series waits for.
    private static let others = [
        Outcome(method: .get, status: 404, error: .none), Outcome(method: .post, status: 201, error: .none),
    ]

    /// Exchanges before each scrape of one life: the first scrape of each finds nothing yet.
    private typealias Life = [[Outcome: Int]]

    private static let lives: [Life] = [
        [
            [:], [good: 40, failures[0]: 1, failures[3]: 2], [good: 37, others[0]: 3, failures[2]: 2],
            [good: 41, others[1]: 5], [good: 29, failures[1]: 1, others[0]: 6],
        ],
        [
            [:], [good: 33, others[0]: 2], [good: 35, failures[0]: 4, others[1]: 7], [good: 30, failures[1]: 1],
            [good: 38, failures[2]: 1, others[0]: 1],
        ],
    ]

    /// The pages of both lives; between them there is none.
    private func pages() throws -> [MetricsSnapshot?] {
        var now = Self.first
        var snapshots: [MetricsSnapshot?] = []
        for (number, life) in Self.lives.enumerated() {
            if number > 0 { snapshots.append(nil) }
            let registry = MetricsRegistry(startedAt: now)
            let table = registry.routesPublished(
                RouteTableDescription(generation: 1, series: [Scenario.labels(0)], gateways: [Scenario.gateway]),
                at: now
            )
            registry.shards[0].routesChanged(to: table)
            for exchanges in life {
                now += 5_000_000_000
                for (outcome, count) in exchanges {
                    for _ in 0..<count { Self.observe(outcome, on: registry, table, at: now - 1_000_000_000) }
                }
                snapshots.append(registry.snapshot(at: now, for: .protobuf))
            }
        }
        return snapshots
    }

    private static func observe(
        _ outcome: Outcome,
        on registry: MetricsRegistry,
        _ table: RouteSeriesTable,
        at time: Int64
    ) {
        registry.shards[0].exchangeCompleted(
            route: table.series(ofRoute: 0),
            ExchangeObservation(
                method: outcome.method,
                status: outcome.status,
                errorType: outcome.error,
                durationNanoseconds: 20_000_000,
                startedAt: time
            )
        )
    }

    @Test func `increase over a restart is what happened, of every outcome that has a series from the beginning`()
        async throws
    {
        let pages = try pages()
        let answers = try await RealPrometheus.ask(
            [
                .init("protobuf", pages, .protobuf, accept: ContentNegotiationTests.askedProtobuf),
                .init("text", pages, .text, accept: "text/plain;version=0.0.4"),
            ],
            interval: "5s",
            increases: ["protobuf", "text"].map { #"wingmirror_http_requests_total{job="\#($0)"}"# }
        )
        #expect(answers.increases.count == 2)
        for (format, found) in zip(["protobuf", "text"], answers.increases) {
            let increases = Dictionary(
                uniqueKeysWithValues: found.map { sample in
                    (
                        ["request_method", "response_code", "error_type"].map { sample.labels[$0] ?? "" },
                        Double(sample.value) ?? .nan
                    )
                }
            )
            for outcome in [Self.good] + Self.failures {
                #expect(increases[outcome.labels] == Self.truth(of: outcome), "\(outcome) in \(format)")
            }
            let begins = format == "protobuf" && answers.readsStartTimes
            for outcome in Self.others {
                let missing = begins ? 0 : Self.lostBeginnings(of: outcome)
                #expect(missing > 0 || begins)
                #expect(increases[outcome.labels] == Self.truth(of: outcome) - missing, "\(outcome) in \(format)")
            }
        }
    }

    private static func truth(of outcome: Outcome) -> Double {
        Double(lives.joined().reduce(0) { $0 + ($1[outcome] ?? 0) })
    }

    /// What is in a first sample that nothing came before: of the first life all of it, of the second as much as the first had
    /// reached, unless it begins lower, which shows as a reset.
    private static func lostBeginnings(of outcome: Outcome) -> Double {
        let beginnings = lives.map { life in Double(life.lazy.compactMap { $0[outcome] }.first ?? 0) }
        let reached = Double(lives[0].reduce(0) { $0 + ($1[outcome] ?? 0) })
        return beginnings[0] + (beginnings[1] >= reached ? reached : 0)
    }
}
