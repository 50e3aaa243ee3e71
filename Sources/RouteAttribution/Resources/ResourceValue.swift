// Wingmirror · Apache-2.0

/// A value as it stands in a manifest, before anything is known of its kind.
///
/// Files and the Kubernetes API both end up as this tree, so that models are decoded in one way only.
public indirect enum ResourceValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
    case array([ResourceValue])
    case object(ResourceMapping)

    /// The name of the value's type, for messages.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .double: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The member of that name, when this is an object that has one.
    public subscript(key: String) -> ResourceValue? {
        guard case .object(let mapping) = self else { return nil }
        return mapping[key]
    }
}

/// The members of an object in the order written, each key once.
public struct ResourceMapping: Sendable, Hashable {
    /// One member.
    public struct Member: Sendable, Hashable {
        /// The key.
        public let key: String
        /// The value.
        public let value: ResourceValue

        /// Makes a member.
        public init(key: String, value: ResourceValue) {
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

    /// The value of a key.
    public subscript(key: String) -> ResourceValue? {
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
