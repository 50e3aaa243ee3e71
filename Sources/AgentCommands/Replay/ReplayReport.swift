// Wingmirror · Apache-2.0

import AgentConfiguration
import AnswerComparison
import JSONSyntax
import OctetText
import Recordings
import ShadowTesting
import TrafficModel

/// The summary of a replay, for people and for programs.
struct ReplayReport {
    /// How many places of differences are listed.
    private static let placeLimit = 8
    private static let shares: [(name: String, share: Double)] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)]

    let summary: ReplaySummary
    let target: String

    // MARK: - For people

    /// The summary in lines.
    var lines: [String] {
        let sent = "sent \(Self.count(summary.sent)) of \(Self.count(summary.planned)) requests to \(target)"
        let recorded = "\(Self.count(summary.recorded)) exchanges recorded"
        let elapsed = "in \(Self.time(summary.elapsed))" + (summary.isInterrupted ? ", interrupted" : "")
        var lines = ["\(sent) \(elapsed); \(recorded)", ""]
        for (title, text) in rows where !text.isEmpty {
            lines.append("  " + title + String(repeating: " ", count: 12 - title.count) + text)
        }
        return lines
    }

    private var rows: [(title: String, text: String)] {
        [
            ("answered", Self.list([("", summary.answered)] + statusClasses)),
            ("failed", Self.list(failures)),
            ("not chosen", Self.list(reasons)),
            ("latency", quantiles(summary.latency, "from sending")),
            ("", quantiles(summary.latencyFromDue, "from when they were due")),
            ("late by", quantiles(summary.lateness, "")),
            ("compared", Self.list(comparisons)),
            ("", unsure),
            ("differs in", Self.list(Array(places.prefix(Self.placeLimit))) + otherPlaces),
            (
                "recording",
                summary.losses.reasons.map { $0.reason.counted($0.count) }.joined(separator: " · ")
            ),
            ("left out", leftOut.joined(separator: " · ")),
        ]
    }

    /// What was taken out of requests that were sent.
    private var leftOut: [String] {
        var texts: [String] = []
        if summary.withoutCredentials > 0 {
            texts.append("the credentials of \(Self.count(summary.withoutCredentials)) recorded requests")
        }
        if summary.placeholders > 0 { texts.append("\(Self.count(summary.placeholders)) values that were redacted") }
        return texts
    }

    private var statusClasses: [(String, Int)] {
        summary.statusClasses.sorted { $0.key < $1.key }.map { ("\($0.key)xx", $0.value) }
    }

    private var failures: [(String, Int)] {
        ShadowFailure.allCases.compactMap { reason in summary.failed[reason].map { (reason.rawValue, $0) } }
    }

    private var reasons: [(String, Int)] {
        FilterReason.allCases.compactMap { reason in summary.filtered[reason].map { (reason.rawValue, $0) } }
            + (summary.notSampled > 0 ? [("not sampled", summary.notSampled)] : [])
    }

    private var comparisons: [(String, Int)] {
        ComparisonWord.allCases.compactMap { word in summary.comparisons[word].map { (word.rawValue, $0) } }
    }

    /// Why some answers that show no difference are not called the same.
    private var unsure: String {
        let reasons = [
            (ComparisonWord.unread, "in a coding that is not read"), (.cut, "longer than is compared"),
        ].compactMap { word, reason in
            summary.comparisons[word].map { "\(Self.count($0)) \(reason)" }
        }
        return reasons.isEmpty ? "" : "not the same for certain: " + reasons.joined(separator: " · ")
    }

    /// The places at which answers differ, those of most answers first.
    private var places: [(String, Int)] {
        let places = summary.differences.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return places.map { ($0.key.text, $0.value) }
    }

    private var otherPlaces: String {
        let count = summary.differences.count - Self.placeLimit
        return count > 0 ? " · and \(Self.count(count)) other places" : ""
    }

    private func quantiles(_ digest: DurationDigest, _ since: String) -> String {
        guard digest.count > 0 else { return "" }
        let texts = Self.shares.map { "\($0.name) \(Self.time(digest.quantile($0.share) ?? .zero))" }
        let all = (texts + ["longest \(Self.time(digest.longest))"]).joined(separator: " · ")
        return since.isEmpty ? all : "\(all)  \(since)"
    }

    private static func list(_ counts: [(name: String, count: Int)]) -> String {
        counts.map { $0.name.isEmpty ? count($0.count) : "\($0.name) \(count($0.count))" }.joined(separator: " · ")
    }

    private static func count(_ count: Int) -> String { HumanUnits.count(UInt64(max(count, 0))) }

    private static func time(_ duration: Duration) -> String {
        HumanUnits.seconds(Double(duration.nanoseconds) / 1e9)
    }

    // MARK: - For programs

    /// The summary as a line of JSON.
    var line: [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("summary")
        text.beginObject()
        text.key("target")
        text.string(target)
        for (name, count) in [
            ("recorded", summary.recorded), ("notSampled", summary.notSampled), ("planned", summary.planned),
            ("sent", summary.sent), ("answered", summary.answered), ("mismatches", summary.mismatches),
            ("redactedValuesLeftOut", summary.placeholders), ("withoutCredentials", summary.withoutCredentials),
        ] {
            text.key(named: name)
            text.integer(count)
        }
        text.counts("filtered", reasons.filter { $0.0 != "not sampled" })
        text.counts("failed", failures)
        text.counts("statusClasses", statusClasses)
        text.counts("comparisons", comparisons)
        text.counts("differences", places)
        text.counts("losses", summary.losses.reasons.map { ($0.reason.rawValue, $0.count) })
        for (name, digest) in [
            ("latencySeconds", summary.latency), ("latencyFromDueSeconds", summary.latencyFromDue),
            ("latenessSeconds", summary.lateness),
        ] {
            text.key(named: name)
            append(digest, to: &text)
        }
        text.key("elapsedSeconds")
        text.seconds(nanoseconds: summary.elapsed.nanoseconds)
        text.key("interrupted")
        text.bool(summary.isInterrupted)
        text.endObject()
        text.endObject()
        text.endLine()
        return text.octets
    }

    private func append(_ digest: DurationDigest, to text: inout JSONText) {
        guard digest.count > 0 else { return text.null() }
        text.beginObject()
        for (name, share) in Self.shares {
            text.key(named: name)
            text.seconds(nanoseconds: (digest.quantile(share) ?? .zero).nanoseconds)
        }
        text.key("longest")
        text.seconds(nanoseconds: digest.longest.nanoseconds)
        text.endObject()
    }

    /// What became of one request as a line of JSON; names no value that was taken out.
    static func line(_ outcome: ReplayOutcome) -> [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("request")
        text.integer(outcome.place)
        text.key("loop")
        text.integer(outcome.loop)
        text.key("startTime")
        text.time(nanoseconds: outcome.startTime)
        text.key("connection")
        if outcome.connection >= 0 { text.integer(outcome.connection) } else { text.null() }
        text.key("method")
        text.string(outcome.request.method)
        text.key("target")
        text.string(outcome.request.target)
        switch outcome.result {
        case .success(let response):
            text.key("status")
            text.integer(response.status)
            text.key("contentBytes")
            text.integer(Int(response.message.contentOctets))
        case .failure(let reason):
            text.key("failure")
            text.string(reason.rawValue)
        }
        for (name, duration) in [
            ("dueSeconds", outcome.due), ("latenessSeconds", outcome.lateness), ("latencySeconds", outcome.latency),
        ] {
            text.key(named: name)
            text.seconds(nanoseconds: duration.nanoseconds)
        }
        text.key("comparison")
        text.string(outcome.word.rawValue)
        text.key("differences")
        text.beginList()
        for place in outcome.places { text.string(place.text) }
        text.endList()
        text.endObject()
        text.endLine()
        return text.octets
    }
}

extension JSONText {
    /// Writes a member whose value has a member for each count.
    fileprivate mutating func counts(_ name: String, _ counts: [(name: String, count: Int)]) {
        key(named: name)
        beginObject()
        for (name, count) in counts {
            key(named: name)
            integer(count)
        }
        endObject()
    }
}
