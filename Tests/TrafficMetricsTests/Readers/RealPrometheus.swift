// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import TrafficMetrics

/// A real Prometheus that scrapes pages and is asked questions.
enum RealPrometheus {
    private static let helper = ExternalProgram(fixture: "ask_prometheus.py")

    /// Whether there is one, and a Python to ask it with.
    static let isAvailable = helper.succeeds(["--check"])

    /// A page to scrape.
    struct Page: Encodable {
        let job: String
        let contentType: String
        /// What one scrape after the other gets; empty for an agent that is not there.
        let bodies: [Data]

        /// A snapshot in a format that is served whatever is asked for.
        init(_ job: String, _ snapshot: MetricsSnapshot, _ format: ExpositionFormat, accept: String) throws {
            try self.init(job, [snapshot], format, accept: accept)
        }

        /// What one scrape after the other gets; `nil` while there is no agent.
        init(_ job: String, _ snapshots: [MetricsSnapshot?], _ format: ExpositionFormat, accept: String) throws {
            let negotiated = NegotiatedExposition(accept: accept)
            try #require(negotiated.format == format)
            self.job = job
            contentType = negotiated.contentType
            bodies = snapshots.map { snapshot in
                var octets: [UInt8] = []
                if let snapshot { ExpositionWriter(format).write(snapshot, into: &octets) }
                return Data(octets)
            }
        }
    }

    struct Answers: Decodable {
        /// For each query its samples.
        let queries: [[Sample]]
        /// For each query its exemplars.
        let exemplars: [[Exemplar]]
        /// For each selector how far its series grew between their first and their last sample.
        let increases: [[Sample]]
        /// Whether a start time counts as a sample of zero, as Prometheus can from 2.50 on.
        let readsStartTimes: Bool
    }

    struct Sample: Decodable {
        let labels: [String: String]
        let value: String
    }

    struct Exemplar: Decodable {
        let labels: [String: String]
        let value: String
        let timestamp: Double
    }

    private struct Question: Encodable {
        let pages: [Page]
        let interval: String
        let queries: [String]
        let exemplars: [String]
        let increases: [String]
    }

    /// Has pages scraped at an interval, then asks.
    static func ask(
        _ pages: [Page],
        interval: String = "3s",
        queries: [String] = [],
        exemplars: [String] = [],
        increases: [String] = []
    ) async throws -> Answers {
        let question = Question(
            pages: pages,
            interval: interval,
            queries: queries,
            exemplars: exemplars,
            increases: increases
        )
        let result = try await helper.run(input: [UInt8](try JSONEncoder().encode(question)))
        try #require(result.status == 0, "\(result.errors)")
        return try JSONDecoder().decode(Answers.self, from: Data(result.output))
    }
}
