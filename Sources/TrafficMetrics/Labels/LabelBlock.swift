// Wingmirror · Apache-2.0

/// Some labels of a series, with their text rendered once.
///
/// The label set of a series is one or two blocks: the labels that it shares with other series of its route, and its own.
/// Both are made when the series appears and shared by all snapshots, so that a scrape only copies octets.
public final class LabelBlock: Sendable {
    /// The labels in the order in which they are written.
    public let labels: [Label]
    /// The labels as both text formats write them, without braces: `name="value",name="value"`.
    let text: [UInt8]
    /// The labels as protobuf has them: the fields `label` of a `Metric`.
    let pairs: [UInt8]

    /// One label of a series.
    public struct Label: Sendable, Hashable {
        /// The label's name.
        public let name: String
        /// The label's value, clean but not escaped.
        public let value: String
    }

    /// No labels.
    static let empty = LabelBlock(names: [], values: [])

    /// Pairs names with values, which are cleaned.
    init(names: some Collection<String>, values: some Collection<String>) {
        precondition(names.count == values.count, "LabelBlock.init: a value for each name of \(Array(names))")
        labels = zip(names, values).map { Label(name: $0, value: LabelValue.clean($1)) }
        var text: [UInt8] = []
        var pairs: [UInt8] = []
        for label in labels {
            pairs.appendLabelPair(1, label.name, label.value)
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: label.name.utf8)
            text.append(contentsOf: #"=""#.utf8)
            text.appendEscaped(label.value, escapesQuote: true)
            text.append(UInt8(ascii: "\""))
        }
        self.text = text
        self.pairs = pairs
    }
}

extension [UInt8] {
    /// Appends text of a label value or a HELP line with what both text formats escape: backslash, line feed, and the
    /// double quote where it would end the value.
    mutating func appendEscaped(_ value: String, escapesQuote: Bool) {
        for octet in value.utf8 {
            switch octet {
            case UInt8(ascii: "\\"):
                append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"):
                append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\"") where escapesQuote:
                append(contentsOf: #"\""#.utf8)
            default:
                append(octet)
            }
        }
    }
}
