// Wingmirror · Apache-2.0

import YAMLSyntax

/// A value in a configuration file, and where it stands.
///
/// Scalars keep the distinction that YAML makes: `80` is a number, `"80"` is text, and neither passes for the other.
struct ConfigurationNode {
    private let node: YAMLNode

    /// Wraps a node of a parsed document.
    init(_ node: YAMLNode) {
        self.node = node
    }

    /// Where the value begins, counted from 1.
    var position: (line: Int, column: Int) {
        (node.position.line, node.position.column)
    }

    /// The text, when the value is quoted or would not be taken for a number, a truth value or nothing.
    var text: String? {
        guard let scalar = node.scalar, kind == .text else { return nil }
        return scalar.text
    }

    /// The number as written, when the value is an unquoted number.
    var number: String? {
        guard let scalar = node.scalar, kind == .number else { return nil }
        return scalar.text
    }

    /// The truth value, when the value is an unquoted `true` or `false`.
    var flag: Bool? {
        guard let scalar = node.scalar, kind == .flag else { return nil }
        return Bool(scalar.text)
    }

    /// Whether nothing stands where a value could.
    var isNothing: Bool { kind == .nothing }

    /// Whether the value is a list.
    var isSequence: Bool { node.sequence != nil }

    /// The entries of a list; none for anything else.
    var elements: [ConfigurationNode] {
        node.sequence.map { $0.map(ConfigurationNode.init) } ?? []
    }

    /// The keys and values of a mapping, in the order of the file; `nil` for anything else.
    var entries: [(key: String, keyNode: ConfigurationNode, value: ConfigurationNode)]? {
        node.mapping.map { mapping in
            mapping.map { ($0.key.scalar?.text ?? "?", ConfigurationNode($0.key), ConfigurationNode($0.value)) }
        }
    }

    /// The value in words, for a message; long text is cut.
    var summary: String {
        switch kind {
        case .nothing: return "nothing"
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .text: return "\"\(shortText)\""
        case .number, .flag: return shortText
        }
    }

    // MARK: - Kinds

    private enum Kind {
        case nothing
        case text
        case number
        case flag
        case sequence
        case mapping
    }

    private var kind: Kind {
        if node.sequence != nil {
            return .sequence
        }
        guard let scalar = node.scalar else { return .mapping }
        guard scalar.isPlain else { return .text }
        switch scalar.tag ?? PlainWord.tag(of: scalar.text) {
        case YAMLTag.null: return .nothing
        case YAMLTag.int, YAMLTag.float: return .number
        case YAMLTag.bool: return Bool(scalar.text) == nil ? .text : .flag
        default: return .text
        }
    }

    private var shortText: String {
        let text = node.scalar?.text ?? ""
        let line = text.prefix { $0 != "\n" }.prefix(60)
        return line.count < text.count ? "\(line)…" : String(line)
    }
}
