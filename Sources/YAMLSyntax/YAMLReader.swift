// Wingmirror · Apache-2.0
// YAML 1.1, §3.1.2: the composition of nodes from events.

/// Reads the documents of a YAML text one after another.
package struct YAMLReader: ~Copyable {
    /// How deep collections may lie in each other, those that aliases repeat included.
    ///
    /// Reading needs no stack for them, but releasing a node does.
    package static let depth = 1000

    private var events: YAMLEventReader
    /// What anchors hold, and how deep collections lie in it.
    private var anchors: [String: (node: YAMLNode, height: Int)] = [:]
    /// How many anchors there were, in all documents.
    private var anchorCount: Int32 = 0
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
            var node: YAMLNode
            var height = 0
            var anchor = event.anchor
            switch event.kind {
            case .beginStream, .endDocument: continue
            case .beginDocument:
                // An anchor is known in its own document only (YAML 1.1, §4.2.2 and §5.2).
                anchors = [:]
                continue
            case .endStream: return nil
            case .beginSequence, .beginMapping:
                guard open.count < Self.depth else { throw Self.tooDeep(at: event.position) }
                open.append(OpenCollection(event))
                continue
            case .endCollection:
                guard let collection = open.popLast() else { continue }
                node = try collection.node
                height = collection.height + 1
                anchor = collection.anchor
            case .scalar(let scalar): node = YAMLNode(position: event.position, content: .scalar(scalar))
            case .alias:
                guard let name = anchor, let repeated = anchors[name] else {
                    throw YAMLError(problem: .syntax("found undefined alias"), position: event.position)
                }
                node = YAMLNode(
                    position: event.position,
                    content: repeated.node.content,
                    anchor: repeated.node.anchor
                )
                height = repeated.height
                anchor = nil
                guard open.count + height <= Self.depth else { throw Self.tooDeep(at: event.position) }
            }
            if let anchor {
                anchorCount += 1
                node = YAMLNode(position: node.position, content: node.content, anchor: anchorCount)
                anchors[anchor] = (node, height)
            }
            guard let last = open.indices.last else {
                hasEnded = false
                return node
            }
            open[last].append(node, height: height)
        }
    }

    private static func tooDeep(at position: YAMLPosition) -> YAMLError {
        YAMLError(problem: .syntax("nested more than \(depth) deep"), position: position)
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
    /// How deep collections lie in what has been read of it.
    private(set) var height = 0

    init(_ event: YAMLEvent) {
        anchor = event.anchor
        position = event.position
        if case .beginMapping = event.kind { isMapping = true } else { isMapping = false }
    }

    /// Takes the next node, in which collections lie `height` deep.
    mutating func append(_ node: YAMLNode, height: Int) {
        self.height = max(self.height, height)
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
