// Wingmirror · Apache-2.0

import Testing

@testable import YAMLSyntax

@Suite struct YAMLReaderTests {
    /// The documents of a text, written on one line each: plain words bare, other text in quotes.
    private func documents(_ text: String) throws(YAMLError) -> [String] {
        var reader = YAMLReader(text)
        var result: [String] = []
        while let node = try reader.next() { result.append(Self.description(node)) }
        return result
    }

    private static func description(_ node: YAMLNode) -> String {
        switch node.content {
        case .scalar(let scalar): scalar.isPlain ? scalar.text : "\"\(scalar.text)\""
        case .sequence(let nodes): "[\(nodes.map(description).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\(description($0.key)): \(description($0.value))" }.joined(separator: ", "))}"
        }
    }

    private func root(_ text: String) throws -> YAMLNode {
        var reader = YAMLReader(text)
        return try #require(try reader.next())
    }

    @Test(arguments: [
        ("a: 1", ["{a: 1}"]), ("- a\n- 'b'\n- \"c\\t\"\n", ["[a, \"b\", \"c\t\"]"]),
        ("a:\n- b: c\n  d: [e, {f: g}]\n", ["{a: [{b: c, d: [e, {f: g}]}]}"]),
        ("a: |\n  b\n  c\nd: >\n  e\n  f\n", ["{a: \"b\nc\n\", d: \"e f\n\"}"]),
        ("a:\nb: \"\"\n", ["{a: , b: \"\"}"]), ("\"\\0\"", ["\"\0\""]),
        ("# nothing", []), ("", []), ("---\na\n---\n---\nb\n...\n", ["a", "", "b"]),
        ("? [a]\n: b", ["{[a]: b}"]),
    ])
    func `nodes are read as they are written`(text: String, documents: [String]) throws {
        #expect(try self.documents(text) == documents)
    }

    @Test(arguments: [
        ("a: &x 1\nb: *x", "{a: 1, b: 1}"), ("a: &x [1]\nb: *x\nc: [*x, *x]", "{a: [1], b: [1], c: [[1], [1]]}"),
        ("a: &x 1\nb: &x 2\nc: *x", "{a: 1, b: 2, c: 2}"), ("&x a: *x", "{a: a}"),
    ])
    func `an alias is what the latest anchor of its name holds`(text: String, document: String) throws {
        #expect(try documents(text) == [document])
    }

    @Test func `a node begins where it is written, and an alias where it stands`() throws {
        let entries = try #require(try root("a: &x\n  - b\nüc:  *x\n").mapping)
        #expect(entries.map(\.key.position) == [.init(line: 1, column: 1), .init(line: 3, column: 1)])
        #expect(entries.map(\.value.position) == [.init(line: 1, column: 4), .init(line: 3, column: 6)])
        #expect(entries.last?.value.sequence?.first?.position == .init(line: 2, column: 5))
    }

    @Test(arguments: [
        ("80", nil, true), ("'80'", YAMLTag.string, false), ("!!str 80", YAMLTag.string, true),
        ("!!int '80'", YAMLTag.int, false), ("! 80", "!", true), ("!own 80", "!own", true),
    ])
    func `a word keeps its tag and whether it had quotes`(text: String, tag: String?, isPlain: Bool) throws {
        #expect(try root(text).scalar == YAMLNode.Scalar(text: "80", tag: tag, isPlain: isPlain))
    }

    @Test func `a key that occurs twice is refused, the first by name with its place`() {
        let text = "x:\n  b: 1\n  a: 1\n  b: 2\n  \"a\": 3\n  c: 4\n"
        let error = #expect(throws: YAMLError.self) { try documents(text) }
        let expected = YAMLError(problem: .duplicateKeys(["a", "b"]), position: .init(line: 3, column: 3))
        #expect(error == expected)
    }

    @Test func `a key may stand in two mappings`() throws {
        #expect(try documents("- a: {a: 1}\n- a: 2\n") == ["[{a: {a: 1}}, {a: 2}]"])
    }

    @Test(arguments: [
        ("a: *nowhere", 1, 4), ("a: &x [*x]", 1, 8), ("a: 'x", 1, 6), ("a: b: c", 1, 5), ("\ta: 1", 1, 1),
        ("a: [1", 2, 1), ("a: 1\n b: 2\n", 2, 3), ("--- &x 1\n--- *x\n", 2, 5),
    ])
    func `what is no YAML is refused with its place`(text: String, line: Int, column: Int) throws {
        let error = try #require(throws: YAMLError.self) { try documents(text) }
        #expect(error.position == .init(line: line, column: column))
        guard case .syntax = error.problem else {
            Issue.record("\(error.problem)")
            return
        }
    }

    @Test func `a character that no text may hold is told from a mistake in it`() {
        let error = #expect(throws: YAMLError.self) { try documents("a: \u{1}\n") }
        #expect(error?.problem == .characters("control characters are not allowed"))
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func `nesting is limited`(opening: String) throws {
        let error = #expect(throws: YAMLError.self) {
            try documents(String(repeating: opening, count: 100_000))
        }
        #expect(error?.problem == .syntax("nested more than \(YAMLReader.depth) deep"))
        _ = try? documents(String(repeating: opening, count: YAMLReader.depth))
    }

    @Test func `aliases of aliases take no more memory than the text`() throws {
        var text = "- &a0 [x]\n"
        for level in 1..<60 { text += "- &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(try root(text).sequence?.count == 60)
    }

    @Test func `a text that is cut anywhere is read or refused`() {
        let text = "a: &x [1, 'ü']\n? {b: *x}\n: |\n  c\n--- !!str d\n...\n"
        for count in 0...text.utf8.count {
            _ = try? documents(String(decoding: text.utf8.prefix(count), as: UTF8.self))
        }
    }

    @Test func `nothing is read behind a mistake`() {
        var reader = YAMLReader("a: *b\n--- c\n")
        #expect(throws: YAMLError.self) { try reader.next() }
        #expect(throws: Never.self) { try reader.next() == nil }
    }
}
