// Wingmirror · Apache-2.0

/// A place in a text.
package struct YAMLPosition: Sendable, Hashable {
    /// The line, from 1.
    package let line: Int
    /// The column, from 1, counted in Unicode scalars.
    package let column: Int
}

/// A value of a YAML text as it is written, and where it begins.
///
/// An alias is replaced by what its anchor holds. It keeps its own position, and what lies in it that of the anchor's text.
package struct YAMLNode: Sendable {
    /// What a node holds.
    package enum Content: Sendable {
        /// A word or a text.
        case scalar(Scalar)
        /// A list.
        case sequence([YAMLNode])
        /// Keys and values, in the order of the text.
        case mapping([Entry])
    }

    /// A word or a text: without quotes and escapes, but not yet taken for a number or anything else.
    package struct Scalar: Sendable, Hashable {
        /// The text.
        package let text: String
        /// The tag that is written before it, such as `tag:yaml.org,2002:int` for `!!int`; text in quotes has that of text.
        package let tag: String?
        /// Whether it stands without quotes and is no block of lines.
        package let isPlain: Bool
    }

    /// A key and its value.
    package struct Entry: Sendable {
        /// The key, which YAML allows to be any node.
        package let key: YAMLNode
        /// The value.
        package let value: YAMLNode
    }

    /// Where the node begins.
    package let position: YAMLPosition
    /// What it holds.
    package let content: Content
    /// Numbers what an anchor holds, from 1, so that what aliases repeat is known again; 0 for a node without an anchor.
    package let anchor: Int32

    init(position: YAMLPosition, content: Content, anchor: Int32 = 0) {
        self.position = position
        self.content = content
        self.anchor = anchor
    }

    /// The word or text, unless this is a collection.
    package var scalar: Scalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    /// The entries, if this is a list.
    package var sequence: [YAMLNode]? {
        if case .sequence(let nodes) = content { nodes } else { nil }
    }

    /// The keys and values, if this is a mapping.
    package var mapping: [Entry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }
}

/// The tags of YAML 1.1's types of scalars.
package enum YAMLTag {
    /// Text.
    package static let string = "tag:yaml.org,2002:str"
    /// Nothing.
    package static let null = "tag:yaml.org,2002:null"
    /// A truth value.
    package static let bool = "tag:yaml.org,2002:bool"
    /// A whole number.
    package static let int = "tag:yaml.org,2002:int"
    /// A number.
    package static let float = "tag:yaml.org,2002:float"
}

/// Why a text is no YAML.
package struct YAMLError: Error, Sendable, Hashable {
    /// What is wrong.
    package enum Problem: Sendable, Hashable {
        /// The text breaks the grammar, or has an alias without an anchor; in the words of the library.
        case syntax(String)
        /// The text holds what no YAML text may; in the words of the library.
        case characters(String)
        /// Keys that occur twice in one mapping, sorted; the position is that of the first.
        case duplicateKeys([String])
    }

    /// What is wrong.
    package let problem: Problem
    /// Where; of wrong characters the library gives no line.
    package let position: YAMLPosition
}
