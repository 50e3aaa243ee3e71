// Wingmirror · Apache-2.0

import FoundationEssentials

/// A JSON value that is built to be written.
enum JSONValue: Sendable, Equatable {
    case null
    case flag(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The value as text: keys in order, so that equal values give equal octets.
    func encoded(isPretty: Bool = true) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty {
            encoder.outputFormatting.insert(.prettyPrinted)
        }
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity",
            negativeInfinity: "-Infinity",
            nan: "NaN"
        )
        do {
            return Array(try encoder.encode(self)) + (isPretty ? [UInt8(ascii: "\n")] : [])
        } catch {
            preconditionFailure("JSONValue.encoded: every value can be encoded: \(error)")
        }
    }
}

extension JSONValue: Encodable {
    /// Writes the value without anything around it.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Makes text.
    init(stringLiteral value: String) { self = .text(value) }

    /// Makes a truth value.
    init(booleanLiteral value: Bool) { self = .flag(value) }

    /// Makes a whole number.
    init(integerLiteral value: Int64) { self = .integer(value) }

    /// Makes an array.
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// Makes an object; a key given twice keeps its last value.
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }

    /// Makes a whole number of any width; one that is too large becomes the largest.
    init(_ value: some BinaryInteger) {
        self = .integer(Int64(clamping: value))
    }

    /// Makes an array of text.
    init(_ values: [String]) {
        self = .array(values.map(JSONValue.text))
    }
}
