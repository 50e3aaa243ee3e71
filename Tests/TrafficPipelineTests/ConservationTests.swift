// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import RouteAttribution
import TCPReassembly
import TestTraits
import Testing

@testable import TrafficMetrics
@testable import TrafficPipeline

/// The identities of the page Metrics: nothing that came in is missing from what is counted, and nothing is counted twice.
@Suite(.heavy) struct ConservationTests {
    /// Captures of the repository that are small enough to read them all.
    static let captures: [String] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let places = ["samples/captures", "Tests"].map { root.appending(path: $0) }
        let endings = [".pcap", ".pcapng", ".pcap.gz"]
        return places.flatMap { place in
            (FileManager.default.enumerator(at: place, includingPropertiesForKeys: nil)?.allObjects ?? [])
                .compactMap { ($0 as? URL)?.path }
        }
        .filter { path in endings.contains { path.hasSuffix($0) } }.sorted()
    }()

    @Test func `there are captures to hold the identities against`() {
        #expect(Self.captures.count > 20)
    }

    @Test(arguments: ConservationTests.captures)
    func `what came in is what is counted`(_ path: String) throws {
        // None is refused; what a damaged one gives up to there counts.
        let run = try LabRun(path: path, RouteTable())
        let figures = run.figures
        let reassembly = figures.reassembly
        // Packets: received = TCP segments + without TCP + undecodable.
        let received = figures.interfaces.reduce(0) { $0 + $1.packets }
        let explained = reassembly.segments + figures.ignored.reduce(0, +) + figures.failures.values.reduce(0, +)
        #expect(received == explained, "packets")
        // Connections: opened = closed + open, and each is counted under a protocol and an end exactly once.
        let closed = reassembly.connectionsClosed.total
        #expect(reassembly.connectionsOpened == closed + reassembly.open, "connections")
        #expect(run.sum(MetricCatalogue.connectionsClosed) == closed, "closed connections")
        #expect(run.sum(MetricCatalogue.connectionsOpened) == closed, "opened connections")
        // Octets: what is opaque was delivered, and what was delivered and is not opaque was read as HTTP.
        #expect(run.sum(MetricCatalogue.opaqueBytes) <= reassembly.deliveredOctets, "octets")
        // Requests: with answer or without, none is in flight at the end.
        #expect(run.sum(MetricCatalogue.httpRequestsInFlight) == 0, "in flight")
        #expect(run.sum(MetricCatalogue.websocketsOpen) == 0, "open WebSockets")
        let requests = run.sum(MetricCatalogue.httpRequests) + run.sum(MetricCatalogue.httpRequestsUnmatched)
        #expect(run.sum(MetricCatalogue.httpRequestsPartlySeen) <= requests, "partly seen")
    }

    @Test(arguments: ["canary", "seed"])
    func `each routed request is in each family that it belongs to`(_ lab: String) throws {
        let run = try LabRun(lab)
        let requests = run.counts(MetricCatalogue.httpRequests)
        let total = requests.reduce(0) { $0 + $1.count }
        let answered = requests.filter { $0.code != "0" && $0.code != "unknown" }.reduce(0) { $0 + $1.count }
        #expect(run.observations(MetricCatalogue.httpRequestBodySize) == total)
        #expect(run.observations(MetricCatalogue.httpResponseBodySize) == answered)
        #expect(run.observations(MetricCatalogue.httpServerWait) == answered)
        // A duration for each answer but those of streams, and for each request that waited for none.
        let streams = run.sum(MetricCatalogue.httpStreams)
        let waited = run.observations(MetricCatalogue.httpRequestDuration, class: "none")
        #expect(run.observations(MetricCatalogue.httpRequestDuration) == answered - streams + waited)
        let unanswered = requests.filter { $0.code == "0" && ["client_closed", "no_response"].contains($0.error) }
        #expect(waited <= unanswered.reduce(0) { $0 + $1.count })
        #expect(waited > 0)
    }
}

extension LabRun {
    /// The sum of a family's series, whatever their labels.
    fileprivate func sum(_ family: MetricFamily) -> Int {
        (snapshot[family]?.series ?? []).reduce(0) { sum, series in
            switch series.value {
            case .count(let count): sum + Int(count)
            case .number(let number): sum + Int(number)
            case .histogram(let histogram): sum + Int(histogram.count)
            }
        }
    }

    /// The observations of a histogram, of one class or of all.
    fileprivate func observations(_ family: MetricFamily, class codeClass: String? = nil) -> Int {
        (snapshot[family]?.series ?? []).reduce(0) { sum, series in
            let label = series.own.labels.first { $0.name == "response_code_class" }?.value
            guard codeClass == nil || label == codeClass, case .histogram(let histogram) = series.value else {
                return sum
            }
            return sum + Int(histogram.count)
        }
    }

    /// The requests by code and error.
    fileprivate func counts(_ family: MetricFamily) -> [(code: String, error: String, count: Int)] {
        (snapshot[family]?.series ?? []).compactMap { series in
            guard case .count(let count) = series.value else { return nil }
            let value = { (name: String) in series.own.labels.first { $0.name == name }?.value ?? "" }
            return (value("response_code"), value("error_type"), Int(count))
        }
    }
}
