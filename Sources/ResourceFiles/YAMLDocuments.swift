// Wingmirror · Apache-2.0
// YAML as Kubernetes reads it: YAML 1.1 scalars, keys that are strings.

public import JSONSyntax
import YAMLSyntax

/// A document of a file and the line on which it begins.
public struct LocatedDocument: Sendable {
    /// The document's value.
    public let value: JSONValue
    /// The line of its first node, from 1.
    public let line: Int
}

/// Reads YAML texts into neutral values.
public enum YAMLDocuments {
    /// Reads all documents of a text; empty ones are passed over.
    ///
    /// - Throws: the first mistake; a text with one is refused as a whole, since what follows cannot be trusted.
    public static func parse(
        _ text: String,
        limits: DocumentLimits = DocumentLimits()
    ) throws(DocumentError) -> [LocatedDocument] {
        // A byte-order mark is no part of the text.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        var result: [LocatedDocument] = []
        var conversion = NodeConversion(limits: limits, octets: text.utf8.count)
        var reader = YAMLReader(text)
        while let root = try next(&reader) {
            let value = try conversion.value(root, depth: 0)
            if value != .null { result.append(LocatedDocument(value: value, line: root.position.line)) }
        }
        return result
    }

    private static func next(_ reader: inout YAMLReader) throws(DocumentError) -> YAMLNode? {
        do throws(YAMLError) {
            return try reader.next()
        } catch {
            throw DocumentError(error)
        }
    }
}

extension DocumentError {
    /// Says what the reader found wrong.
    fileprivate init(_ error: YAMLError) {
        let line = error.position.line
        switch error.problem {
        case .syntax(let problem), .characters(let problem):
            self.init(line: line, message: "not valid YAML: \(problem)")
        case .duplicateKeys(let keys):
            let words = keys.count == 1 ? "key \(keys[0]) occurs" : "keys \(keys.joined(separator: ", ")) occur"
            let hint = keys.contains("kind") ? "; is there no line --- between two objects?" : ""
            self.init(line: line, message: "the \(words) twice in one object\(hint)")
        }
    }
}

/// Turns nodes into values, within limits.
private struct NodeConversion {
    private let limits: DocumentLimits
    /// How many values may still come; aliases repeat nodes, so a small text can mean very many.
    private var allowance: Int
    /// What came of a node, by the number of its anchor: aliases share it, or a text would take many times the memory of another
    /// of its size.
    private var repeated: [Int32: Repeated] = [:]
    /// How deep the values lie that were made since this was set last.
    private var deepest = 0

    private struct Repeated {
        let value: JSONValue
        /// How many values it has, and how deep they lie in it.
        let count: Int
        let height: Int
    }

    init(limits: DocumentLimits, octets: Int) {
        self.limits = limits
        allowance = limits.valuesPerOctet * octets + 1000
    }

    mutating func value(_ node: YAMLNode, depth: Int) throws(DocumentError) -> JSONValue {
        guard node.anchor > 0, node.scalar == nil else { return try made(node, depth: depth) }
        if let known = repeated[node.anchor] {
            try take(known.count, depth: depth + known.height, line: node.position.line)
            return known.value
        }
        let (before, outside) = (allowance, deepest)
        deepest = depth
        let value = try made(node, depth: depth)
        repeated[node.anchor] = Repeated(value: value, count: before - allowance, height: deepest - depth)
        deepest = max(deepest, outside)
        return value
    }

    /// Takes values from those that may still come, the deepest of which lies so deep.
    private mutating func take(_ count: Int, depth: Int, line: Int) throws(DocumentError) {
        guard depth < limits.depth else {
            throw DocumentError(line: line, message: "nested more than \(limits.depth) deep")
        }
        allowance -= count
        guard allowance >= 0 else {
            throw DocumentError(line: line, message: "aliases make far more of the text than is written")
        }
        deepest = max(deepest, depth)
    }

    private mutating func made(_ node: YAMLNode, depth: Int) throws(DocumentError) -> JSONValue {
        let line = node.position.line
        try take(1, depth: depth, line: line)
        switch node.content {
        case .scalar(let scalar): return YAMLScalar.value(scalar)
        case .sequence(let sequence):
            var entries: [JSONValue] = []
            entries.reserveCapacity(sequence.count)
            for entry in sequence { entries.append(try value(entry, depth: depth + 1)) }
            return .array(entries)
        case .mapping(let mapping): return try object(mapping, line: line, depth: depth)
        }
    }

    private mutating func object(
        _ mapping: [YAMLNode.Entry],
        line: Int,
        depth: Int
    ) throws(DocumentError) -> JSONValue {
        var members: [JSONObject.Member] = []
        members.reserveCapacity(mapping.count)
        var places: [String: Int] = [:]
        for entry in mapping {
            guard let name = entry.key.scalar else {
                throw DocumentError(line: entry.key.position.line, message: "a key must be text")
            }
            let value = try value(entry.value, depth: depth + 1)
            guard Self.isMergeKey(name) else {
                // What an earlier merge brought is replaced; the reader has refused keys that are written twice.
                if let place = places[name.text] {
                    members[place] = JSONObject.Member(key: name.text, value: value)
                } else {
                    places[name.text] = members.count
                    members.append(JSONObject.Member(key: name.text, value: value))
                }
                continue
            }
            for member in try Self.merged(value, line: entry.value.position.line) {
                if let place = places[member.key] {
                    members[place] = member
                } else {
                    places[member.key] = members.count
                    members.append(member)
                }
            }
        }
        do throws(DuplicateKey) {
            return .object(try JSONObject(members))
        } catch {
            throw DocumentError(line: line, message: "the key \(error.key) occurs twice in one object")
        }
    }

    /// Whether a key is YAML 1.1's merge key: `<<`, not in quotes.
    private static func isMergeKey(_ name: YAMLNode.Scalar) -> Bool {
        name.text == "<<" && name.isPlain
    }

    /// The members that a merge key brings; of a list of objects the earlier count before the later.
    ///
    /// They replace members that stand before the merge key and are replaced by those behind it, as the YAML library of
    /// kubectl, kustomize and Helm does it.
    private static func merged(_ value: JSONValue, line: Int) throws(DocumentError) -> [JSONObject.Member] {
        switch value {
        case .object(let object): return object.members
        case .array(let entries):
            var members: [JSONObject.Member] = []
            for entry in entries.reversed() {
                guard case .object(let object) = entry else { break }
                members += object.members
            }
            if entries.allSatisfy({ $0.typeName == "an object" }) { return members }
        default: break
        }
        throw DocumentError(line: line, message: "the merge key << needs an object or a list of objects")
    }
}
