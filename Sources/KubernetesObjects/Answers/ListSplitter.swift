// Wingmirror · Apache-2.0

import JSONSyntax

/// Cuts the body of a list into its items while it arrives, so that neither the body nor a tree of all items is ever held.
///
/// It follows strings and nesting only; each item and the list's other members are then parsed by themselves. `metadata` may
/// come before or behind `items`, as it does in lists of built-in kinds and of custom resources.
struct ListSplitter {
    /// How large one item may be, in octets: the order of what etcd takes for an object, times two.
    static let itemLimit = 3 << 20
    /// How deep lists and objects may lie in each other: above the 10,000 that an API server itself takes.
    ///
    /// One bracket is held for each.
    static let depthLimit = 1 << 14

    /// What a list says beside its items.
    struct Head: Sendable, Hashable {
        var kind = ""
        var apiVersion = ""
        var resourceVersion = ""
        /// The token of the next page; empty on the last one.
        var next = ""
        /// The list was there: its braces have closed.
        var isComplete = false
    }

    /// What is known of the list so far.
    private(set) var head = Head()
    /// Items over the limit, which were passed over.
    private(set) var oversizedItems = 0
    /// Items that cannot be read, which were passed over.
    private(set) var unreadable: [UnreadableObject] = []

    private var part: [UInt8] = []
    private var key: [UInt8] = []
    /// The brackets that will close what is open, the innermost last.
    private var closing: [UInt8] = []
    private var depth: Int { closing.count }
    private var strings = JSONStringScan()
    private var isInItems = false
    private var isOversized = false
    /// What the octets at depth 1 are: a key, or the value behind one.
    private var expectsKey = true

    /// Takes more of the body.
    ///
    /// - Parameters:
    ///   - octets: What came, cut anywhere.
    ///   - emit: Called with each item that is complete.
    /// - Throws: what is wrong with the text.
    mutating func append(_ octets: [UInt8], _ emit: (JSONValue) throws -> Void) throws {
        for octet in octets { try append(octet, emit) }
    }

    private mutating func append(_ octet: UInt8, _ emit: (JSONValue) throws -> Void) throws {
        guard !strings.append(octet) else {
            keep(octet)
            return
        }
        switch octet {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try opened(octet)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            try closed(octet, emit)
        case UInt8(ascii: ":") where depth == 1 && expectsKey:
            expectsKey = false
            key = part
            part.removeAll(keepingCapacity: true)
        case UInt8(ascii: ",") where depth == 1:
            try memberEnded()
        case 0x20, 0x09, 0x0A, 0x0D: break
        default: keep(octet)
        }
    }

    private mutating func opened(_ octet: UInt8) throws {
        guard depth < Self.depthLimit else {
            throw DocumentError(line: 1, message: "nested more than \(Self.depthLimit) deep")
        }
        defer { closing.append(octet == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")) }
        if depth == 1, !expectsKey, octet == UInt8(ascii: "["), key.elementsEqual("\"items\"".utf8) {
            isInItems = true
            part.removeAll(keepingCapacity: true)
            return
        }
        if depth == 0 {
            guard octet == UInt8(ascii: "{"), !head.isComplete else {
                throw DocumentError(line: 1, message: "a list must be one object")
            }
        } else {
            keep(octet)
        }
    }

    private mutating func closed(_ octet: UInt8, _ emit: (JSONValue) throws -> Void) throws {
        guard closing.popLast() == octet else {
            throw DocumentError(line: 1, message: "a list or object ends that has not begun")
        }
        switch depth {
        case 0:
            try memberEnded()
            head.isComplete = true
        case 1 where isInItems:
            isInItems = false
            part.removeAll(keepingCapacity: true)
        case 2 where isInItems:
            keep(octet)
            try itemEnded(emit)
        default: keep(octet)
        }
    }

    private mutating func keep(_ octet: UInt8) {
        // Commas between items, and values that nothing asks for.
        if isInItems, depth == 2 { if octet == UInt8(ascii: ",") { return } }
        guard depth > 0, !isOversized else { return }
        guard part.count < Self.itemLimit else {
            isOversized = true
            part = []
            return
        }
        part.append(octet)
    }

    private mutating func itemEnded(_ emit: (JSONValue) throws -> Void) throws {
        defer { part.removeAll(keepingCapacity: true) }
        guard !isOversized else {
            isOversized = false
            oversizedItems += 1
            return
        }
        let item: JSONValue
        do throws(DocumentError) {
            item = try JSONDocument.parse(part)
        } catch {
            // One object that cannot be read keeps no other of its kind from counting.
            unreadable.append(UnreadableObject(part, error))
            return
        }
        try emit(item)
    }

    private mutating func memberEnded() throws {
        defer {
            expectsKey = true
            key = []
            part.removeAll(keepingCapacity: true)
            isOversized = false
        }
        guard !key.isEmpty, !isOversized else { return }
        switch String(decoding: key, as: UTF8.self) {
        case "\"kind\"": head.kind = try JSONDocument.parse(part).stringValue ?? ""
        case "\"apiVersion\"": head.apiVersion = try JSONDocument.parse(part).stringValue ?? ""
        case "\"metadata\"":
            let metadata = try JSONDocument.parse(part)
            head.resourceVersion = metadata["resourceVersion"]?.stringValue ?? ""
            head.next = metadata["continue"]?.stringValue ?? ""
        default: break
        }
    }
}
