// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

@Suite struct YAMLDocumentsTests {
    private func value(_ text: String) throws -> JSONValue? {
        try YAMLDocuments.parse("k: \(text)").first?.value["k"]
    }

    @Test(arguments: [
        ("80", JSONValue.integer(80)), ("'80'", .string("80")), ("\"80\"", .string("80")),
        ("!!str 80", .string("80")),
        ("true", .bool(true)), ("'true'", .string("true")), ("yes", .bool(true)), ("Off", .bool(false)),
        ("y", .string("y")),
        ("", .null), ("~", .null), ("null", .null), ("'~'", .string("~")), ("1.5", .double(1.5)),
        ("1e3", .double(1000)),
        ("0x1F", .integer(31)), ("010", .integer(8)), ("0o17", .integer(15)), ("-7", .integer(-7)),
        ("1.2.3", .string("1.2.3")),
        ("1s", .string("1s")), ("/a", .string("/a")), ("2026-01-01T00:00:00Z", .string("2026-01-01T00:00:00Z")),
        ("'a''b'", .string("a'b")), ("\"a\\u00e4\\n\"", .string("aä\n")), ("99999999999999999999", .double(1e20)),
    ])
    func `a word means what Kubernetes takes it for`(text: String, value: JSONValue) throws {
        #expect(try self.value(text) == value)
    }

    @Test func `documents are read in order and empty ones passed over`() throws {
        let documents = try YAMLDocuments.parse("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n")
        #expect(documents.map(\.line) == [2, 7])
        #expect(documents.last?.value["b"] == .integer(2))
    }

    @Test func `two objects without a line between them are told from a key that was written twice`() {
        let message = "the keys apiVersion, kind occur twice in one object; is there no line --- between two objects?"
        let error = #expect(throws: DocumentError.self) {
            try YAMLDocuments.parse("apiVersion: v1\nkind: A\napiVersion: v1\nkind: B\n", limits: DocumentLimits())
        }
        #expect(error?.message == message)
    }

    @Test func `a key that occurs twice is refused with its line`() {
        #expect(throws: DocumentError(line: 2, message: "the key a occurs twice in one object")) {
            try YAMLDocuments.parse("b: 0\na: 1\na: 2\n")
        }
    }

    @Test(arguments: ["a: [1", "a: 'x", "\ta: 1", "a: *nowhere", "? [a]\n: b", "a: b: c", "{a: 1"])
    func `what is no YAML, or has keys that are no words, is refused`(text: String) {
        #expect(throws: DocumentError.self) { try YAMLDocuments.parse(text) }
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func `nesting is limited`(opening: String) {
        let text = String(repeating: opening, count: 100_000)
        #expect(throws: DocumentError.self) { try YAMLDocuments.parse(text) }
    }

    @Test func `an alias repeats its anchor`() throws {
        let documents = try YAMLDocuments.parse("a: &x {b: 1}\nc: *x\n")
        #expect(documents.first?.value["c"]?["b"] == .integer(1))
    }

    @Test func `aliases that explode are refused`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            let references = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(references)]\n"
        }
        #expect(throws: DocumentError.self) { try YAMLDocuments.parse(text) }
    }

    @Test func `what aliases repeat counts where they stand, and is the same each time`() throws {
        let text = "a: &x [1, {b: 2}]\nc: [*x, *x]\nd: &x {e: *x}\nf: *x\n---\na: &x 3\nb: *x\n"
        let documents = try YAMLDocuments.parse(text)
        let list: JSONValue = [1, ["b": 2]]
        #expect(
            documents.map(\.value) == [
                ["a": list, "c": [list, list], "d": ["e": list], "f": ["e": list]], ["a": 3, "b": 3],
            ]
        )
        // The 2 lies four deep in both lists of `c`.
        var limits = DocumentLimits()
        limits.depth = 5
        #expect(throws: Never.self) { try YAMLDocuments.parse(text, limits: limits) }
        limits.depth = 4
        #expect(throws: DocumentError(line: 2, message: "nested more than 4 deep")) {
            try YAMLDocuments.parse(text, limits: limits)
        }
    }

    @Test func `aliases share in memory what they repeat`() throws {
        let value = try YAMLDocuments.parse("a: &x [1, 2]\nb: *x\n").first?.value
        guard case .array(let first)? = value?["a"], case .array(let second)? = value?["b"] else {
            Issue.record("no lists")
            return
        }
        let isShared = unsafe first.withUnsafeBufferPointer { first in
            unsafe second.withUnsafeBufferPointer { second in unsafe first.baseAddress == second.baseAddress }
        }
        #expect(isShared)
    }

    @Test func `values that aliases repeat are counted each time`() {
        // A thousand, and one for each octet, may come of a text; each of these aliases stands for 101.
        let text = "a: &x [\(String(repeating: "1,", count: 100))]\nb: [\(String(repeating: "*x,", count: 1000))]\n"
        let error = #expect(throws: DocumentError.self) { try YAMLDocuments.parse(text) }
        #expect(error?.message == "aliases make far more of the text than is written")
    }

    @Test(arguments: ["*a : 1", "? *a\n: 1", "{[*a]: 1}", "{{b: *a}: 1}"])
    func `an alias in a key is refused before anything is built`(key: String) {
        #expect(throws: DocumentError.self) { try YAMLDocuments.parse("x: &a [1]\ny:\n  \(key)\n") }
    }

    @Test(arguments: [
        // Behind the merge key, before it, and several at once: as kubectl's library reads them.
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n", "b", ["k": 3, "l": 2]),
        ("a: &x {k: 1}\nb: {k: 3, <<: *x}\n", "b", ["k": 1]),
        ("a: &x {k: 1, l: 1}\nc: &y {k: 2, m: 2}\nb: {<<: [*x, *y]}\n", "b", ["k": 1, "l": 1, "m": 2]),
        ("a: &x\n  k: 1\nb:\n  <<: *x\n  m: 2\n", "b", ["k": 1, "m": 2]),
    ])
    func `a merge key brings the members of its anchor`(text: String, key: String, members: [String: Int]) throws {
        guard case .object(let object)? = try YAMLDocuments.parse(text).first?.value[key] else {
            Issue.record("no object")
            return
        }
        #expect(object.members.count == members.count)
        for (name, number) in members { #expect(object[name] == .integer(number)) }
    }

    @Test func `a merge key in quotes is a key like any other`() throws {
        let value = try YAMLDocuments.parse("'<<': {a: 1}\n").first?.value
        #expect(value?["<<"]?["a"] == .integer(1))
        #expect(value?["a"] == nil)
    }

    @Test func `a merge key without objects is refused`() {
        #expect(throws: DocumentError(line: 1, message: "the merge key << needs an object or a list of objects")) {
            try YAMLDocuments.parse("<<: 1\n")
        }
    }

    @Test(arguments: [
        "a: &x {b: 1}\nc: *x\nd: \"${A}:${B}\"\n",
        "a: &x {b: 1}\nc: *x\nd: '*y: [z]: {w}: v'\n",
        "a: &x {b: 1}\nc: *x\nd: |\n  ? [q]\n  : r\n  {a}: b\n",
        "a: &x {b: 1}\nc: *x # {a}: b\n",
        "a: &x word\n*x : y\n",
    ])
    func `aliases beside keys that are words are no reason to refuse`(text: String) throws {
        #expect(try YAMLDocuments.parse(text).count == 1)
    }

    @Test(arguments: ["a: &x [1]\n? *x\n: y\n", "a: &x {b: 1}\n*x : y\n", "a: &x 1\nb: *x\n? [c]\n: d\n"])
    func `a key that is or may be a collection is refused beside aliases`(text: String) {
        #expect(throws: DocumentError.self) { try YAMLDocuments.parse(text) }
    }

    @Test func `a byte-order mark is no part of the first key`() throws {
        #expect(try YAMLDocuments.parse("\u{FEFF}kind: V\n").first?.value["kind"] == .string("V"))
    }
}
