// Wingmirror · Apache-2.0

extension JSONValue {
    /// The text, when this is a string.
    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The number, when this is one, whole or not.
    public var numberValue: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        case .digits(let digits): Double(digits)
        default: nil
        }
    }

    /// The truth value, when this is one.
    public var boolValue: Bool? {
        if case .bool(let truth) = self { truth } else { nil }
    }

    /// The entries, when this is a list.
    public var arrayValue: [JSONValue]? {
        if case .array(let entries) = self { entries } else { nil }
    }
}
