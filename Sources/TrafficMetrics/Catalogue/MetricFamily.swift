// Wingmirror · Apache-2.0

/// What kind of metric a family is, in the words of OpenMetrics.
public enum MetricType: Sendable, Hashable {
    /// Grows, or starts again from zero.
    case counter
    /// Goes up and down.
    case gauge
    /// Counts observations by size.
    case histogram
    /// Always 1; what it says is in its labels.
    case info
}

/// The base unit of a family's values.
public enum MetricUnit: String, Sendable, Hashable {
    /// A plain number of things.
    case none = ""
    /// Seconds, also for points in time (since the Unix epoch).
    case seconds
    /// Thousandths of a second, which no family of ours has, but one of Istio's.
    case milliseconds
    /// Octets.
    case bytes
    /// A share from 0 to 1.
    case ratio
}

/// A metric family as the catalogue declares it: everything about its series but their values.
public struct MetricFamily: Sendable, Hashable {
    /// The full name as text 0.0.4 has it: counters end in `_total`, infos in `_info`.
    public let name: String
    /// What kind of metric it is.
    public let type: MetricType
    /// The base unit of its values.
    public let unit: MetricUnit
    /// One line for people.
    public let help: String
    /// The names of the labels, in the order in which values are given and written.
    public let labelNames: [String]

    init(_ name: String, _ type: MetricType, _ unit: MetricUnit = .none, labels: [String] = [], help: String) {
        self.name = name
        self.type = type
        self.unit = unit
        self.help = help
        labelNames = labels
    }

    /// The name without what the type adds to it, as the metadata of OpenMetrics has it.
    var baseName: String {
        switch type {
        case .counter: String(name.dropLast("_total".count))
        case .info: String(name.dropLast("_info".count))
        case .gauge, .histogram: name
        }
    }

    /// Two families are the same family when they have the same name.
    public static func == (left: MetricFamily, right: MetricFamily) -> Bool {
        left.name == right.name
    }

    /// Feeds the name to the hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
    }
}
