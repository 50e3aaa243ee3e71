// Wingmirror · Apache-2.0

import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("ｆｕ", 4), ("한", 2), ("😀", 2), ("👩‍💻", 2), ("▁█", 2),
        ("–…", 2), ("\u{200B}", 0),
    ])
    func `text takes the columns that terminals give it`(_ text: String, _ width: Int) {
        #expect(text.displayWidth == width)
    }

    @Test func `text is cut between columns, never within a character`() {
        #expect(String("日本語".prefix(columns: 3)) == "日")
        #expect("日本語".cut(to: 4) == "日…")
        #expect("abc".cut(to: 3) == "abc")
        #expect("abcd".cut(to: 0).isEmpty)
    }

    @Test func `a name that does not fit keeps its beginning and its end`() {
        #expect("default/products-canary".cutInTheMiddle(to: 16) == "defau…cts-canary")
        #expect("日本語日本語".cutInTheMiddle(to: 7) == "日…本語")
        #expect("abcd".cutInTheMiddle(to: 4) == "abcd")
        #expect("abcd".cutInTheMiddle(to: 2) == "a…")
    }

    @Test func `the widest columns of a narrow table are cut first, and none below its least`() {
        var table = TextTable([
            .init(title: "A", isFigure: false, shortest: 4), .init(title: "B", isFigure: false, shortest: 4),
            .init(title: "N"),
        ])
        table.append(["aaaaaaaaaa", "bbbbbb", "1"])
        #expect(table.lines(TerminalStyle(width: 20))[1] == "  aaaaaa…  bbbbbb  1")
        #expect(table.lines(TerminalStyle(width: 16))[1] == "  aaa…  bbbb…  1")
        #expect(table.lines(TerminalStyle(width: 5))[1] == "  aaa…  bbb…  1")
    }

    @Test func `extra columns go before a name is cut, others only where cutting is not enough`() {
        var table = TextTable([
            .init(title: "NAME", isFigure: false, shortest: 4, isName: true), .init(title: "MORE", yield: 1),
            .init(title: "EXTRA", yield: 2, isExtra: true),
        ])
        table.append(["abcdefgh", "1", "2"])
        #expect(table.lines(TerminalStyle(width: 23))[1] == "  abcdefgh     1      2")
        #expect(table.lines(TerminalStyle(width: 22))[1] == "  abcdefgh     1")
        #expect(table.lines(TerminalStyle(width: 14))[1] == "  ab…fgh     1")
        #expect(table.lines(TerminalStyle(width: 11))[1] == "  abcdefgh")
    }

    @Test func `columns of a table line up below wide characters`() {
        var table = TextTable([.init(title: "NAME", isFigure: false), .init(title: "N")])
        table.append(["日本", "1"])
        table.append(["abcd", "22"])
        let lines = table.lines(.plain)
        #expect(lines[1] == "  日本   1")
        #expect(lines[2] == "  abcd  22")
    }

    @Test func `control characters become pictures of one column`() {
        #expect("a\u{1B}[31mb\u{0}\u{7F}".withVisibleControls == "a␛[31mb␀␡")
        #expect("\u{9B}\u{202E}\u{2028}".withVisibleControls == "\u{FFFD}\u{FFFD}\u{FFFD}")
        #expect("plain – text".withVisibleControls == "plain – text")
    }
}
