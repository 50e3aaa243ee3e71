// Wingmirror · Apache-2.0
// Prometheus exposition format 0.0.4; OpenMetrics 1.0.

@testable import TrafficMetrics

/// A reader of both text formats that refuses what either specification forbids, written apart from the encoder.
struct ExpositionReader {
    /// Values by family name and sample name with its sorted labels.
    private(set) var samples: [String: [Key: Double]] = [:]
    /// Types by the name that TYPE gives.
    private(set) var types: [String: String] = [:]
    private let format: ExpositionFormat
    private var current = ""
    private var metadata: [String: Set<String>] = [:]

    struct Key: Hashable {
        let name: String
        let labels: [String: String]
    }

    enum Problem: Error, Equatable {
        case lineEnd
        case end
        case metadata(String)
        case sample(String)
        case duplicate(String)
        case interleaved(String)
        case histogram(String)
    }

    init(_ body: [UInt8], _ format: ExpositionFormat) throws(Problem) {
        self.format = format
        guard body.last == UInt8(ascii: "\n"), !body.contains(where: { $0 != 0x0A && $0 < 0x20 }) else {
            throw .lineEnd
        }
        guard let text = String(validating: body, as: UTF8.self) else { throw .lineEnd }
        // By scalars: a line feed is a character of its own whatever stands beside it.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        lines.removeLast()
        if format == .openMetrics {
            guard lines.popLast() == "# EOF" else { throw .end }
        }
        for line in lines {
            if line.hasPrefix("#") {
                try readMetadata(line)
            } else {
                try readSample(line)
            }
        }
        for (family, values) in samples where types[family] == "histogram" {
            try checkHistograms(family, values)
        }
    }

    // MARK: - Lines

    private mutating func readMetadata(_ line: String) throws(Problem) {
        let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "#", ["HELP", "TYPE", "UNIT"].contains(parts[1]) else {
            throw .metadata(line)
        }
        if parts[2] != current {
            guard metadata[parts[2]] == nil else { throw .interleaved(line) }
            current = parts[2]
        }
        guard metadata[current, default: []].insert(parts[1]).inserted, samples[current] == nil else {
            throw .metadata(line)
        }
        switch parts[1] {
        case "TYPE":
            let isSuffixed = current.hasSuffix("_total")
            guard parts[3] != "counter" || isSuffixed == (format == .text) else { throw .metadata(line) }
            types[current] = parts[3]
        case "UNIT":
            guard format == .openMetrics, current.hasSuffix("_\(parts[3])") else { throw .metadata(line) }
        default:
            break
        }
    }

    private mutating func readSample(_ line: String) throws(Problem) {
        let octets = Array(line.utf8)
        let nameEnd = octets.firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: " ") } ?? octets.count
        let name = String(decoding: octets[..<nameEnd], as: UTF8.self)
        guard Self.isName(name), belongs(name) else { throw .interleaved(line) }
        var rest = octets[nameEnd...]
        var labels: [String: String] = [:]
        if rest.first == UInt8(ascii: "{") {
            guard let read = Self.labels(&rest) else { throw .sample(line) }
            labels = read
        }
        guard rest.popFirst() == UInt8(ascii: " "), let value = Self.number(String(decoding: rest, as: UTF8.self))
        else {
            throw .sample(line)
        }
        let key = Key(name: name, labels: labels)
        guard samples[current, default: [:]].updateValue(value, forKey: key) == nil else { throw .duplicate(line) }
    }

    /// Whether a sample's name is one that the family in hand has.
    private func belongs(_ name: String) -> Bool {
        switch (types[current], format) {
        case ("histogram", _): ["_bucket", "_sum", "_count"].contains { current + $0 == name }
        case ("counter", .openMetrics): name == current + "_total"
        case ("info", .openMetrics): name == current + "_info"
        case (nil, _): false
        default: name == current
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F }
    }

    private static func labels(_ rest: inout ArraySlice<UInt8>) -> [String: String]? {
        var labels: [String: String] = [:]
        repeat {
            rest.removeFirst()
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(decoding: rest[..<equals], as: UTF8.self)
            rest = rest[(equals + 1)...]
            guard isName(name), rest.popFirst() == UInt8(ascii: "\"") else { return nil }
            var value: [UInt8] = []
            while let octet = rest.popFirst(), octet != UInt8(ascii: "\"") {
                guard octet == UInt8(ascii: "\\") else {
                    value.append(octet)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "\\"): value.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "\""): value.append(UInt8(ascii: "\""))
                default: return nil
                }
            }
            guard labels.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else { return nil }
        } while rest.first == UInt8(ascii: ",")
        return rest.popFirst() == UInt8(ascii: "}") ? labels : nil
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.utf8.contains { $0 >= 0x41 && $0 != UInt8(ascii: "e") } ? nil : Double(text)
        }
    }

    // MARK: - Histograms

    /// Buckets grow, the last is `+Inf` and equals the count.
    private func checkHistograms(_ family: String, _ values: [Key: Double]) throws(Problem) {
        var buckets: [[String: String]: [(bound: Double, count: Double)]] = [:]
        for (key, value) in values where key.name == family + "_bucket" {
            var labels = key.labels
            guard let text = labels.removeValue(forKey: "le"), let bound = Self.number(text) else {
                throw .histogram(family)
            }
            buckets[labels, default: []].append((bound, value))
        }
        for (labels, list) in buckets {
            let sorted = list.sorted { $0.bound < $1.bound }
            let count = values[Key(name: family + "_count", labels: labels)]
            guard sorted.last?.bound == .infinity, sorted.last?.count == count,
                zip(sorted, sorted.dropFirst()).allSatisfy({ $0.count <= $1.count }),
                values[Key(name: family + "_sum", labels: labels)] != nil
            else { throw .histogram(family) }
        }
        guard values.count == buckets.values.reduce(0, { $0 + $1.count + 2 }) else { throw .histogram(family) }
    }

    // MARK: - Asking

    /// The sum over all samples of a name whose labels include these.
    func sum(_ name: String, where labels: [String: String] = [:]) -> Double {
        samples.values.joined().filter { key, _ in
            key.name == name && labels.allSatisfy { key.labels[$0.key] == $0.value }
        }.reduce(0) { $0 + $1.value }
    }
}
