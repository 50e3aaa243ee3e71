// Wingmirror · Apache-2.0

import Foundation
import Testing

@testable import TrafficMetrics

/// A real Prometheus that scrapes pages and is asked questions.
enum RealPrometheus {
    private static let helper = HelperProgram(script: "ask_prometheus.py")

    /// Whether there is one, and a Python to ask it with.
    static let isAvailable = helper.isAvailable(["--check"])

    /// A page to scrape.
    struct Page: Encodable {
        let job: String
        let contentType: String
        let body: Data

        /// A snapshot in a format that is served whatever is asked for.
        init(_ job: String, _ snapshot: MetricsSnapshot, _ format: ExpositionFormat, accept: String) throws {
            let negotiated = NegotiatedExposition(accept: accept)
            try #require(negotiated.format == format)
            var octets: [UInt8] = []
            ExpositionWriter(format).write(snapshot, into: &octets)
            self.job = job
            contentType = negotiated.contentType
            body = Data(octets)
        }
    }

    struct Answers: Decodable {
        /// For each query its samples.
        let queries: [[Sample]]
        /// For each query its exemplars.
        let exemplars: [[Exemplar]]
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
        let queries: [String]
        let exemplars: [String]
    }

    /// Has pages scraped, then asks.
    static func ask(_ pages: [Page], queries: [String], exemplars: [String]) throws -> Answers {
        let question = Question(pages: pages, queries: queries, exemplars: exemplars)
        let result = try helper.run(input: [UInt8](try JSONEncoder().encode(question)))
        try #require(result.status == 0, "\(result.error)")
        return try JSONDecoder().decode(Answers.self, from: result.output)
    }
}
