// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import ShadowTesting
import TrafficModel

/// What policies would send, as text or records.
struct MirrorForecastReport: Sendable {
    /// What was found out.
    let forecast: MirrorForecast
    /// The policies, in order.
    let policies: [MirrorPolicy]
    /// Packets that the kernel dropped meanwhile.
    let loss: UInt64
    /// Whether the configuration would send it.
    let isEnabled: Bool
    /// The routes that there are; empty where none are known.
    var routes: [RouteName] = []
    /// The hosts of those routes.
    var hosts: [String] = []

    private var seconds: Double { forecast.seconds }

    // MARK: - Text

    /// The forecast as lines of text.
    func lines(_ style: TerminalStyle) -> [String] {
        var lines = [style.apply(.bold, to: "Forecast") + "  " + style.apply(.dim, to: summary)]
        lines += forecast.rows.isEmpty ? ["  no policy matches any of these requests"] : table.lines(style)
        let filtered = filteredTable
        if let filtered {
            lines += ["", style.apply(.bold, to: "Held back")] + filtered.lines(style)
        }
        let notes = forecast.sortedRows.flatMap(\.notes)
        if !notes.isEmpty { lines += ["", style.apply(.bold, to: "Notes")] + notes.map { "  \($0)" } }
        let silent = policies.map(\.name).filter { name in !forecast.rows.contains { $0.policy == name } }
        if !silent.isEmpty, !forecast.rows.isEmpty {
            lines += ["", "  without any request: \(silent.joined(separator: ", "))"]
        }
        let warnings = PolicyWarnings.sentences(for: policies, routes: routes, hosts: hosts)
        if !warnings.isEmpty {
            lines += ["", style.apply(.bold, to: "Warnings")] + warnings.map { "  \($0)" }
        }
        if !isEnabled {
            lines += ["", "  mirror.enabled is false: nothing of this is sent"]
        }
        return lines
    }

    private var summary: String {
        let exchanges = "\(HumanUnits.count(UInt64(forecast.exchanges))) exchanges in \(HumanUnits.seconds(seconds))"
        return loss == 0 ? exchanges : "\(exchanges), \(HumanUnits.count(loss)) packets lost meanwhile"
    }

    private var table: TextTable {
        var table = TextTable([
            .init(title: "POLICY", isFigure: false, shortest: 8, isName: true),
            .init(title: "OBJECT", isFigure: false, yield: 1, shortest: 10, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: 8, isName: true),
            .init(title: "REQUESTS"), .init(title: "SAMPLED"),
            .init(title: "COPIES/S"), .init(title: "BYTES/S", yield: 2),
            .init(title: "METHODS", isFigure: false, yield: 4, isExtra: true, shortest: 8),
            .init(title: "UNSAFE", yield: 5, isExtra: true), .init(title: "REDACTED", yield: 3, isExtra: true),
            .init(title: "CONTENT", yield: 6, isExtra: true),
        ])
        for row in forecast.sortedRows {
            table.append([
                .init(row.policy), .init(row.object), .init(row.routeText),
                .init(HumanUnits.count(UInt64(row.requests))),
                .init(HumanUnits.count(UInt64(row.sampled))),
                .init(HumanUnits.rate(seconds > 0 ? row.copiesPerSecond(over: seconds) : nil), .bold),
                .init(HumanUnits.octets(UInt64(row.octetsPerSecond(over: seconds)))),
                .init(row.methodText),
                .init(
                    HumanUnits.share(UInt64(row.unsafeRequests), of: UInt64(row.requests)),
                    row.unsafeRequests > 0 ? .warning : .plain
                ),
                .init(HumanUnits.count(UInt64(row.redactions))), .init(row.sizeText),
            ])
        }
        return table
    }

    private var filteredTable: TextTable? {
        var table = TextTable([
            .init(title: "POLICY", isFigure: false, shortest: 8, isName: true),
            .init(title: "OBJECT", isFigure: false, yield: 1, shortest: 10, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: 8, isName: true),
            .init(title: "REASON", isFigure: false), .init(title: "REQUESTS"), .init(title: "SHARE"),
        ])
        var isEmpty = true
        for row in forecast.sortedRows {
            for (reason, count) in row.filtered.sorted(by: { $0.value > $1.value }) {
                isEmpty = false
                table.append([
                    .init(row.policy), .init(row.object), .init(row.routeText), .init(reason.rawValue),
                    .init(HumanUnits.count(UInt64(count))),
                    .init(HumanUnits.share(UInt64(count), of: UInt64(row.requests))),
                ])
            }
        }
        return isEmpty ? nil : table
    }

    // MARK: - Records

    /// One line of JSON for each policy and route.
    var records: [UInt8] {
        forecast.sortedRows.flatMap { record($0).encoded() + [UInt8(ascii: "\n")] }
    }

    private func record(_ row: MirrorForecast.Row) -> JSONValue {
        [
            "policy": .string(row.policy),
            "virtualServiceNamespace": .string(row.route.virtualServiceNamespace),
            "virtualService": .string(row.route.virtualService),
            "route": .string(row.route.route),
            "seconds": .double(seconds),
            "lostPackets": JSONValue(loss),
            "requests": JSONValue(row.requests),
            "filtered": Self.counts(row.filtered.map { ($0.key.rawValue, $0.value) }),
            "notSampled": JSONValue(row.notSampled),
            "expected": .double(row.expected),
            "keys": Self.counts(row.keys.map { ($0.key.text, $0.value) }),
            "distinctKeys": JSONValue(row.distinctKeys),
            "withoutCredentials": JSONValue(row.withoutCredentials),
            "sampled": JSONValue(row.sampled),
            "copiesPerSecond": .double(row.copiesPerSecond(over: seconds)),
            "bytesPerSecond": .double(row.octetsPerSecond(over: seconds)),
            "methods": Self.counts(row.methods.map { ($0.key, $0.value) }),
            "unsafeShare": .double(row.unsafeShare),
            "redactedValues": JSONValue(row.redactions),
            "contentBytes": Self.counts(
                MirrorForecast.SizeClass.allCases.map { ($0.label, row.sizes[$0.rawValue]) }
            ),
        ]
    }

    private static func counts(_ counts: [(String, Int)]) -> JSONValue {
        JSONValue(Dictionary(counts.map { ($0.0, JSONValue($0.1)) }) { $1 })
    }
}

extension MirrorForecast.Row {
    fileprivate var object: String {
        route.virtualService.isEmpty ? "-" : "\(route.virtualServiceNamespace)/\(route.virtualService)"
    }

    fileprivate var routeText: String { route.route.isEmpty ? "no route" : route.route }

    /// What may be other than it was meant, in sentences.
    fileprivate var notes: [String] {
        let place = object == "-" ? routeText : "\(object) \(routeText)"
        let name = "\(policy) on \(place)"
        var notes: [String] = []
        if isLumped {
            let expected = HumanUnits.count(UInt64(expected.rounded()))
            let keys = keys.sorted { ($1.value, $0.key.text) < ($0.value, $1.key.text) }.map(\.key.text)
            notes.append(
                "\(name): expected \(expected) of \(HumanUnits.count(UInt64(eligible))), and \(sampled) are sampled: keyed by "
                    + "\(keys.joined(separator: ", ")), \(HumanUnits.count(UInt64(distinctKeys))) different; all requests of "
                    + "one key are in or out together"
            )
        }
        if let calls = filtered[.notComparable] {
            notes.append(
                "\(name): \(HumanUnits.count(UInt64(calls))) gRPC calls are not comparable: streaming, or without a status; only "
                    + "unary calls are copied"
            )
        }
        if withoutCredentials > 0, !hasBaseline {
            notes.append(
                "\(name): \(HumanUnits.share(UInt64(withoutCredentials), of: UInt64(eligible))) of requests carry credentials "
                    + "that copies do not; without a baseline, answers that depend on them are not comparable"
            )
        }
        return notes
    }

    /// The methods, the most frequent first.
    fileprivate var methodText: String {
        methods.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).joined(separator: " ")
    }

    /// The sizes of content that occur, the most frequent first.
    fileprivate var sizeText: String {
        let classes = MirrorForecast.SizeClass.allCases.filter { sizes[$0.rawValue] > 0 }
        return classes.sorted { sizes[$0.rawValue] > sizes[$1.rawValue] }.map(\.label).joined(separator: " ")
    }
}
