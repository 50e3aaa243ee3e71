// Wingmirror · Apache-2.0

internal import JSONSyntax

/// Why an object does not fit its kind: where, and what is wrong there.
public struct ResourceError: Error, Sendable, Hashable {
    /// The field, written as in `spec.http[0].match[1].uri`.
    public let path: String
    /// What is wrong, as the rest of a sentence that begins with the field.
    public let message: String

    init(_ path: FieldPath, _ message: String) {
        self.path = path.description
        self.message = message
    }
}

/// The way from an object to one of its fields; text only when it is asked for.
indirect enum FieldPath: CustomStringConvertible, Sendable {
    case root
    case member(String, of: FieldPath)
    case element(Int, of: FieldPath)

    var description: String {
        switch self {
        case .root: ""
        case .member(let key, .root): key
        case .member(let key, let parent): "\(parent).\(key)"
        case .element(let index, let parent): "\(parent)[\(index)]"
        }
    }

    func member(_ key: String) -> FieldPath { .member(key, of: self) }

    func element(_ index: Int) -> FieldPath { .element(index, of: self) }
}

/// Reads the fields of one value: unknown fields are never looked at, a field of the wrong type is an error.
///
/// An absent field and a null one are the same, as for the API server.
struct FieldReader {
    let value: JSONValue
    let path: FieldPath
    /// The namespace of an object whose manifest names none.
    let defaultNamespace: String

    init(_ value: JSONValue, path: FieldPath = .root, defaultNamespace: String = "default") {
        self.value = value
        self.path = path
        self.defaultNamespace = defaultNamespace
    }

    private func wrongType(_ expected: String) -> ResourceError {
        ResourceError(path, "must be \(expected), not \(value.typeName)")
    }

    // MARK: Members

    /// The field of that name, unless it is absent or null.
    func field(_ key: String) throws(ResourceError) -> FieldReader? {
        guard case .object(let mapping) = value else { throw wrongType("an object") }
        guard let found = mapping[key], found != .null else { return nil }
        return FieldReader(found, path: path.member(key))
    }

    func string(_ key: String) throws(ResourceError) -> String? { try field(key)?.string() }

    func integer(_ key: String) throws(ResourceError) -> Int? { try field(key)?.integer() }

    func number(_ key: String) throws(ResourceError) -> Double? { try field(key)?.number() }

    func bool(_ key: String) throws(ResourceError) -> Bool? { try field(key)?.bool() }

    func strings(_ key: String) throws(ResourceError) -> [String] {
        try list(key) { entry throws(ResourceError) in try entry.string() }
    }

    func stringMap(_ key: String) throws(ResourceError) -> [String: String] {
        var result: [String: String] = [:]
        for (key, entry) in try entries(key) {
            result[key] = try entry.string()
        }
        return result
    }

    /// Decodes each entry of a list; an absent list is empty.
    func list<Element>(
        _ key: String,
        _ decode: (FieldReader) throws(ResourceError) -> Element
    ) throws(ResourceError) -> [Element] {
        guard let field = try field(key) else { return [] }
        guard case .array(let entries) = field.value else { throw field.wrongType("a list") }
        var result: [Element] = []
        result.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            result.append(try decode(FieldReader(entry, path: field.path.element(index))))
        }
        return result
    }

    /// The members of a map in the order written, nulls included.
    func entries(_ key: String) throws(ResourceError) -> [(String, FieldReader)] {
        guard let field = try field(key) else { return [] }
        guard case .object(let mapping) = field.value else { throw field.wrongType("an object") }
        return mapping.members.map { ($0.key, FieldReader($0.value, path: field.path.member($0.key))) }
    }

    /// Decodes a member that is itself an object.
    func object<Model>(
        _ key: String,
        _ decode: (FieldReader) throws(ResourceError) -> Model
    ) throws(ResourceError) -> Model? {
        guard let field = try field(key) else { return nil }
        guard case .object = field.value else { throw field.wrongType("an object") }
        return try decode(field)
    }

    // MARK: The value itself

    func string() throws(ResourceError) -> String {
        guard case .string(let text) = value else { throw wrongType("a string") }
        return text
    }

    func integer() throws(ResourceError) -> Int {
        switch value {
        case .integer(let number): return number
        case .double(let number) where number == number.rounded() && abs(number) < 1e15: return Int(number)
        default: throw wrongType("an integer")
        }
    }

    func number() throws(ResourceError) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .double(let number): return number
        default: throw wrongType("a number")
        }
    }

    func bool() throws(ResourceError) -> Bool {
        guard case .bool(let value) = value else { throw wrongType("a boolean") }
        return value
    }

    func requireObject() throws(ResourceError) {
        guard case .object = value else { throw wrongType("an object") }
    }
}
