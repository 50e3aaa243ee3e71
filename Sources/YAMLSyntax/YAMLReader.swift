// Wingmirror · Apache-2.0
// YAML 1.1, §3.1.2: the composition of nodes from events.

/// Reads the documents of a YAML text one after another.
package struct YAMLReader: ~Copyable {
    /// How deep collections may lie in each other.
    ///
    /// Reading needs no stack for them, but releasing a node does.
    package static let depth = 1000

    private var events: YAMLEventReader
    private var anchors: [String: YAMLNode] = [:]
    private var hasEnded = false

    /// Begins to read.
    package init(_ text: String) {
        events = YAMLEventReader(text)
    }

    /// Reads the next document; `nil` after the last.
    ///
    /// - Throws: the first mistake; nothing can be read after it.
    package mutating func next() throws(YAMLError) -> YAMLNode? {
        guard !hasEnded else { return nil }
        // Until a document has been read whole there is nothing behind it.
        hasEnded = true
        var open: [OpenCollection] = []
        while true {
            let event = try events.next()
            let node: YAMLNode
            var anchor = event.anchor
            switch event.kind {
            case .beginStream, .endDocument: continue
            case .beginDocument:
                // An anchor is known in its own document only (YAML 1.1, §4.2.2 and §5.2).
                anchors = [:]
                continue
            case .endStream: return nil
            case .beginSequence, .beginMapping:
                guard open.count < Self.depth else {
                    throw YAMLError(
                        problem: .syntax("nested more than \(Self.depth) deep"),
                        position: event.position
                    )
                }
                open.append(OpenCollection(event))
                continue
            case .endCollection:
                guard let collection = open.popLast() else { continue }
                node = try collection.node
                anchor = collection.anchor
            case .scalar(let scalar): node = YAMLNode(position: event.position, content: .scalar(scalar))
            case .alias:
                guard let name = anchor, let repeated = anchors[name] else {
                    throw YAMLError(problem: .syntax("found undefined alias"), position: event.position)
                }
                node = YAMLNode(position: event.position, content: repeated.content)
                anchor = nil
            }
            if let anchor { anchors[anchor] = node }
            guard let last = open.indices.last else {
                hasEnded = false
                return node
            }
            open[last].append(node)
        }
    }
}

/// A collection whose end has not been read.
private struct OpenCollection {
    let anchor: String?
    private let position: YAMLPosition
    private let isMapping: Bool
    private var elements: [YAMLNode] = []
    private var entries: [YAMLNode.Entry] = []
    private var key: YAMLNode?

    init(_ event: YAMLEvent) {
        anchor = event.anchor
        position = event.position
        if case .beginMapping = event.kind { isMapping = true } else { isMapping = false }
    }

    mutating func append(_ node: YAMLNode) {
        if !isMapping {
            elements.append(node)
        } else if let key {
            entries.append(YAMLNode.Entry(key: key, value: node))
            self.key = nil
        } else {
            key = node
        }
    }

    /// The collection, when all of it has been read.
    var node: YAMLNode {
        get throws(YAMLError) {
            guard isMapping else { return YAMLNode(position: position, content: .sequence(elements)) }
            try refuseDuplicateKeys()
            return YAMLNode(position: position, content: .mapping(entries))
        }
    }

    /// Refuses words that are keys twice.
    ///
    /// Keys that are collections are left to who reads the nodes: through aliases they can stand for more than any machine
    /// can compare.
    private func refuseDuplicateKeys() throws(YAMLError) {
        var first: [String: YAMLPosition] = [:]
        first.reserveCapacity(entries.count)
        var duplicates: Set<String> = []
        for entry in entries {
            guard let word = entry.key.scalar?.text else { continue }
            if first[word] == nil {
                first[word] = entry.key.position
            } else {
                duplicates.insert(word)
            }
        }
        let sorted = duplicates.sorted()
        guard let place = sorted.first.flatMap({ first[$0] }) else { return }
        throw YAMLError(problem: .duplicateKeys(sorted), position: place)
    }
}
