// Wingmirror · Apache-2.0

/// What the settings say of parts of JSON content, by path: `meta.requestId`, `items[].price`, `*.etag`.
///
/// A tree of path members that is walked along with the content, so that nothing is spent where no rule applies.
struct PathRules: Sendable {
    /// Where in the tree the walk is; several places because of `*`.
    typealias Cursor = [Int]

    private struct Node: Sendable {
        var members: [String: Int] = [:]
        var anyMember: Int?
        var entry: Int?
        var isIgnored = false
        var isSecret = false
        var isUnordered = false
        var key: String?
    }

    private var nodes = [Node()]

    init(_ settings: ComparisonSettings, secretPaths: [String]) {
        for path in settings.ignoredPaths { nodes[node(of: path)].isIgnored = true }
        for path in settings.unorderedPaths { nodes[node(of: path)].isUnordered = true }
        for (path, key) in settings.keyedPaths { nodes[node(of: path)].key = key }
        for path in secretPaths { nodes[node(of: path)].isSecret = true }
    }

    // MARK: - Building

    private mutating func node(of path: String) -> Int {
        var current = 0
        for part in path.split(separator: ".") where part != "$" {
            var member = part
            var entries = 0
            while let suffix = ["[]", "[*]"].first(where: { member.hasSuffix($0) }) {
                member = member.dropLast(suffix.count)
                entries += 1
            }
            if member == "*" {
                current = step(from: current, \.anyMember)
            } else if !member.isEmpty {
                current = step(from: current, \.members[String(member)])
            }
            for _ in 0..<entries { current = step(from: current, \.entry) }
        }
        return current
    }

    private mutating func step(from node: Int, _ way: WritableKeyPath<Node, Int?>) -> Int {
        if let next = nodes[node][keyPath: way] { return next }
        nodes.append(Node())
        nodes[node][keyPath: way] = nodes.count - 1
        return nodes.count - 1
    }

    // MARK: - Walking

    /// The top of the content; empty, and so are all places below, when there are no rules.
    var root: Cursor { nodes.count == 1 && !nodes[0].isUnordered && nodes[0].key == nil ? [] : [0] }

    /// The place of a member.
    func member(_ name: String, of cursor: Cursor) -> Cursor {
        var next: Cursor = []
        for place in cursor {
            if let exact = nodes[place].members[name] { next.append(exact) }
            if let any = nodes[place].anyMember { next.append(any) }
        }
        return next
    }

    /// The place of the entries of a list.
    func entry(of cursor: Cursor) -> Cursor {
        cursor.compactMap { nodes[$0].entry }
    }

    /// Whether the place is not compared.
    func isIgnored(_ cursor: Cursor) -> Bool { cursor.contains { nodes[$0].isIgnored } }

    /// Whether values at the place are never shown.
    func isSecret(_ cursor: Cursor) -> Bool { cursor.contains { nodes[$0].isSecret } }

    /// Whether the list at the place has no order; the path may name the list or its entries.
    func isUnordered(_ cursor: Cursor) -> Bool {
        cursor.contains { nodes[$0].isUnordered } || entry(of: cursor).contains { nodes[$0].isUnordered }
    }

    /// The member by which entries of the list at the place are matched.
    func key(_ cursor: Cursor) -> String? {
        for place in cursor + entry(of: cursor) {
            if let key = nodes[place].key { return key }
        }
        return nil
    }
}
