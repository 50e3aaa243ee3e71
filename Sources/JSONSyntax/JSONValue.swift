// Wingmirror · Apache-2.0
// The data model of JSON, RFC 8259 §3.

/// A value of JSON's data model, before anything is known of what it means.
///
/// Manifests, whether they are written in YAML or JSON, recorded exchanges and contents that are compared all end up as
/// this tree, and what the agent tells of itself begins as one. Whole numbers are kept whole, and members stay in the order
/// in which they were written.
public indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case double(Double)
    /// A whole number that no `Int` holds, as its digits; only where a reader asks for them.
    case digits(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The name of the value's type, for messages.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .double, .digits: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The member of that name, when this is an object that has one.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }
}

/// The members of an object in the order written, each key once.
public struct JSONObject: Sendable, Hashable {
    /// One member.
    public struct Member: Sendable, Hashable {
        /// The key.
        public let key: String
        /// The value.
        public let value: JSONValue

        /// Makes a member.
        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The members, in the order written.
    public let members: [Member]

    /// Takes members whose keys all differ.
    ///
    /// - Throws: the first key that occurs twice.
    public init(_ members: [Member]) throws(DuplicateKey) {
        var seen = Set<String>(minimumCapacity: members.count)
        for member in members where !seen.insert(member.key).inserted {
            throw DuplicateKey(key: member.key)
        }
        self.members = members
    }

    /// Takes the entries of a dictionary, ordered by key.
    public init(_ entries: [String: JSONValue]) {
        members = entries.sorted { $0.key < $1.key }.map { Member(key: $0.key, value: $0.value) }
    }

    /// The value of a key.
    public subscript(key: String) -> JSONValue? {
        for member in members where member.key == key {
            return member.value
        }
        return nil
    }
}

/// An object that has one key twice.
public struct DuplicateKey: Error, Sendable, Hashable {
    /// The key.
    public let key: String
}

// MARK: - Values to be written

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Makes a string.
    public init(stringLiteral value: String) { self = .string(value) }

    /// Makes a truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Makes a whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }

    /// Makes a list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// Makes an object with the members in the order written, whose keys must differ.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        let members = elements.map { JSONObject.Member(key: $0.0, value: $0.1) }
        do throws(DuplicateKey) {
            self = .object(try JSONObject(members))
        } catch {
            preconditionFailure("JSONValue: the literal has the key \(error.key) twice")
        }
    }

    /// Makes a whole number of any width; one that is too large becomes the largest.
    public init(_ value: some BinaryInteger) {
        self = .integer(Int(clamping: value))
    }

    /// Makes a list of strings.
    public init(_ values: [String]) {
        self = .array(values.map(JSONValue.string))
    }

    /// Makes an object of a dictionary, its members ordered by key.
    public init(_ entries: [String: JSONValue]) {
        self = .object(JSONObject(entries))
    }
}
